// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Texts that plugins may keep.
enum CText {
  // Never changed, never freed.
  nonisolated(unsafe) static let hostName = copy(HostServices.name)
  nonisolated(unsafe) static let hostVersion = copy(HostServices.version)
  nonisolated(unsafe) static let empty = copy("")

  /// A copy that is never freed.
  static func copy(_ text: String) -> UnsafePointer<CChar> {
    guard let copy = strdup(text) else { preconditionFailure("out of memory") }
    return UnsafePointer(copy)
  }
}

// Unchecked: the bytes never change.
/// A C string that is freed with its object.
final class OwnedCString: @unchecked Sendable {
  let pointer: UnsafePointer<CChar>

  init(_ text: String) { pointer = CText.copy(text) }

  deinit { free(UnsafeMutablePointer(mutating: pointer)) }
}
