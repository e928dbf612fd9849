// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// What of files is in the memory of a process.
struct AddressSpace {
  private(set) var mappings: [Mapping] = []
  /// The images that dyld has loaded, in their order; those of the shared cache included.
  var images: [LoadedImage] = []
  private var next = firstAddress

  /// Where the first mapping goes, above the program.
  private static let firstAddress: UInt64 = 0x1_1000_0000
  private static let page = UInt64(KERNEL_PAGE_SIZE)

  /// Adds a mapping at the next free address.
  mutating func add(
    _ vnode: Vnode, offset: UInt64, size: UInt64, protection: Int32, flags: Int32
  ) -> UInt64? {
    guard size <= UInt64(Int64.max) - next else { return nil }
    let address = next
    next += (size + Self.page - 1) & ~(Self.page - 1)
    mappings.append(
      Mapping(
        vnode: vnode, offset: offset, address: address, size: size, protection: protection,
        flags: flags))
    return address
  }

  /// Takes a mapping out.
  mutating func remove(at address: UInt64) { mappings.removeAll { $0.address == address } }

  /// The mapping that an address is in.
  func mapping(at address: UInt64) -> Mapping? { mappings.first { $0.contains(address) } }
}

/// A part of a file in the memory of a process.
struct Mapping: Sendable {
  let vnode: Vnode
  /// Where it begins in the file.
  let offset: UInt64
  let address: UInt64
  let size: UInt64
  /// KERNEL_PROT_ bits.
  let protection: Int32
  /// KERNEL_MAP_ bits.
  let flags: Int32

  func contains(_ address: UInt64) -> Bool {
    address >= self.address && address - self.address < size
  }
}

/// An image that dyld has loaded.
public struct LoadedImage: Sendable, Equatable {
  /// The path that it was asked for by.
  public let path: String
  /// Where its segments are; none for an image of the shared cache, which the kernel does not see.
  public let segments: [UInt64]
  /// Whether it came with the shared cache.
  public var isCached: Bool { segments.isEmpty }
}
