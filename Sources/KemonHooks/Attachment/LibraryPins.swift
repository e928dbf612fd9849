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
  private struct Entry {
    let name: UnsafePointer<CChar>
    let pin: LibraryPin?
  }

  // Few: each change is of few libraries.
  private var pins: [Entry] = []

  init(of requests: [HookTransaction.Request]) {
    for request in requests {
      let address: UInt
      switch request {
      case .attach(_, let place, _, _): address = place
      case .replace(let place, _, _, _): address = place
      case .detach, .restore: continue
      }
      guard let name = Self.name(at: address), !pins.contains(where: { $0.name == name }) else {
        continue
      }
      pins.append(Entry(name: name, pin: LibraryPin(name: name)))
    }
  }

  func pin(at address: UInt) -> LibraryPin? {
    Self.name(at: address).flatMap { name in pins.first { $0.name == name }?.pin }
  }

  private static func name(at address: UInt) -> UnsafePointer<CChar>? {
    UnsafeRawPointer(bitPattern: address).flatMap { ckemon_object_name($0) }
  }
}
