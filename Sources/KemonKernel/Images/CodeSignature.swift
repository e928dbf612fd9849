// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// A code directory: what an image's pages are said to be.
///
/// Laid out as Apple's (big-endian, magic 0xfade0c02); the hashes of pages are the model's own, of eight bytes.
struct CodeSignature: Sendable {
  /// CS_ flags that a process gets with the image.
  let flags: UInt32
  private let hashes: [UInt64]

  static let pageSize = Int(KERNEL_PAGE_SIZE)
  private static let magic: UInt32 = 0xFADE_0C02
  private static let headerSize = 44
  private static let hashSize = 8
  /// No type of Apple's.
  private static let hashType: UInt8 = 0xF0

  /// Signs pages.
  init(flags: UInt32, pages: ArraySlice<UInt8>) {
    self.flags = flags
    hashes = stride(from: pages.startIndex, to: pages.endIndex, by: Self.pageSize).map { start in
      Self.hash(pages[start..<min(start + Self.pageSize, pages.endIndex)])
    }
  }

  /// Reads a code directory; nil for one that is none, or of another kind.
  init?(_ bytes: MachOBytes) {
    guard let magic: UInt32 = try? bytes.bigNumber(at: 0, ""), magic == Self.magic,
      let flags: UInt32 = try? bytes.bigNumber(at: 12, ""),
      let hashOffset: UInt32 = try? bytes.bigNumber(at: 16, ""),
      let count: UInt32 = try? bytes.bigNumber(at: 28, ""),
      let size: UInt8 = try? bytes.number(at: 36, ""), Int(size) == Self.hashSize,
      let type: UInt8 = try? bytes.number(at: 37, ""), type == Self.hashType,
      let area = try? bytes.part(
        at: UInt64(hashOffset), count: UInt64(count) * UInt64(Self.hashSize), "")
    else { return nil }
    self.flags = flags
    hashes = (0..<UInt64(count)).compactMap { area.word(at: $0 * UInt64(Self.hashSize)) }
  }

  /// How many bytes of code are signed.
  var signedSize: Int { hashes.count * Self.pageSize }

  /// Whether a page is what was signed; one that nobody signed is not.
  func covers(page index: Int, _ bytes: ArraySlice<UInt8>) -> Bool {
    hashes.indices.contains(index) && hashes[index] == Self.hash(bytes)
  }

  /// The directory as it stands in a file.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    func big(_ value: UInt32) { withUnsafeBytes(of: value.bigEndian) { bytes += $0 } }
    big(Self.magic)
    big(UInt32(Self.headerSize + hashes.count * Self.hashSize))
    big(0x20001)
    big(flags)
    big(UInt32(Self.headerSize))
    big(0)
    big(0)
    big(UInt32(hashes.count))
    big(UInt32(signedSize))
    bytes += [UInt8(Self.hashSize), Self.hashType, 0, 12]
    big(0)
    for hash in hashes { withUnsafeBytes(of: hash.littleEndian) { bytes += $0 } }
    return bytes
  }

  private static func hash(_ page: ArraySlice<UInt8>) -> UInt64 {
    page.withUnsafeBytes { NameTable.hash($0) }
  }
}

/// A slice of a file whose signature the kernel has.
struct SignedSlice {
  /// Where the slice begins.
  let offset: UInt64
  let signature: CodeSignature
}
