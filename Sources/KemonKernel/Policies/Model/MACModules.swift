// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// A module of the kernel, as far as addresses go.
public struct MACModule: Sendable, Equatable {
  /// The bundle identifier.
  public let name: String
  /// Where it is linked to.
  public let base: UInt64
  /// Bytes of the linked module.
  public let size: UInt64

  /// Describes a module.
  public init(name: String, base: UInt64, size: UInt64) {
    self.name = name
    self.base = base
    self.size = size
  }
}

/// Says in which module an address is: one of the model's, or a library of this process.
struct MACModules: Sendable {
  var known: [MACModule] = []

  /// Adds a module; one of its name that was somewhere else before is gone.
  mutating func add(_ module: MACModule) {
    known.removeAll { $0.name == module.name }
    known.append(module)
  }

  /// The module and the offset, as the original writes them; nil when no module is known there.
  func place(of address: UInt64) -> String? {
    // The original's rule: the base itself is no function.
    if let module = known.first(where: { $0.base < address && address - $0.base < $0.size }) {
      return "\(module.name)+0x\(Self.hex(address - module.base))"
    }
    var offset: UInt64 = 0
    guard let pointer = UnsafeRawPointer(bitPattern: UInt(address)),
      let file = kernel_mac_library(pointer, &offset)
    else { return nil }
    let name = String(cString: file).split(separator: "/").last.map(String.init) ?? ""
    return "\(name)+0x\(Self.hex(offset))"
  }

  private static func hex(_ number: UInt64) -> String {
    String(number, radix: 16, uppercase: true)
  }
}
