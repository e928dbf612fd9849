// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
internal import Glibc

/// Keeps a library loaded while this object lives.
final class LibraryPin {
  private let handle: UnsafeMutableRawPointer

  /// - Returns: nil for the program itself, which is never unloaded, and for libraries of other namespaces.
  init?(name: UnsafePointer<CChar>) {
    guard name[0] != 0, let handle = dlopen(name, RTLD_NOLOAD | RTLD_LAZY) else { return nil }
    self.handle = handle
  }

  deinit { dlclose(handle) }
}

/// The libraries that a transaction changes, so that none is unloaded under its hooks.
struct LibraryPins {
  private var pins: [UnsafePointer<CChar>: LibraryPin?] = [:]

  init(of requests: [HookTransaction.Request]) {
    for request in requests {
      let address: UInt
      switch request {
      case .attach(_, let place, _, _): address = place
      case .replace(let place, _, _, _): address = place
      case .detach, .restore: continue
      }
      guard let name = Self.name(at: address), pins[name] == nil else { continue }
      pins[name] = .some(LibraryPin(name: name))
    }
  }

  func pin(at address: UInt) -> LibraryPin? { Self.name(at: address).flatMap { pins[$0] ?? nil } }

  private static func name(at address: UInt) -> UnsafePointer<CChar>? {
    UnsafeRawPointer(bitPattern: address).flatMap { ckemon_object_name($0) }
  }
}
