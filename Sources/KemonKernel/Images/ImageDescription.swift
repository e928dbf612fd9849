// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// A program or a library that a session describes, and the Mach-O file that it is in the model's tree.
///
/// The file has a code segment of two pages, a data segment of one, and what the linker leaves behind; the code does
/// nothing and is never executed.
struct ImageDescription: Sendable {
  /// What it is.
  enum Kind: String, Sendable, CaseIterable {
    case program, library, bundle

    fileprivate var type: UInt32 {
      switch self {
      case .program: ImageFile.program
      case .library: ImageFile.library
      case .bundle: ImageFile.bundle
      }
    }
  }

  var kind = Kind.program
  /// The libraries that it needs, by path.
  var libraries: [String] = []
  /// Whether it is a fat file, with another processor's slice before its own.
  var isFat = false
  /// CS_ flags of its signature; nil for an image that nobody signed.
  var signing: UInt32?
  /// Whether a byte of its code was changed after it had been signed.
  var isTampered = false

  private static let page = CodeSignature.pageSize
  private static let codePages = 2
  private static let fatMagic: UInt32 = 0xCAFE_BABE
  private static let otherProcessor: UInt32 = 0x0100_000C
  private static let readExecute: UInt32 = 5
  private static let readWrite: UInt32 = 3
  private static let readOnly: UInt32 = 1

  /// The file.
  var bytes: [UInt8] {
    let own = slice
    guard isFat else { return own }
    var bytes = ImageBytes()
    bytes.big([Self.fatMagic, 2])
    let first = UInt32(Self.page)
    bytes.big([Self.otherProcessor, 0, first, first, 12])
    bytes.big([ImageFile.processor, 3, first * 2, UInt32(own.count), 12])
    bytes.pad(to: Self.page * 2)
    return bytes.all + own
  }

  private var slice: [UInt8] {
    let code = Self.page * Self.codePages
    let linkedit = code + Self.page
    var bytes = ImageBytes()
    let commands = UInt32(3 + libraries.count + (signing == nil ? 0 : 1))
    bytes.little([ImageFile.magic, ImageFile.processor, 3, kind.type, commands, 0, 0, 0])
    bytes.segment("__TEXT", at: 0, code, Self.readExecute)
    bytes.segment("__DATA", at: code, Self.page, Self.readWrite)
    bytes.segment("__LINKEDIT", at: linkedit, Self.page, Self.readOnly)
    for path in libraries { bytes.library(path) }
    // Of known size before it is known: the directory has a hash for each page of code.
    let blank = CodeSignature(flags: 0, pages: [UInt8](repeating: 0, count: code)[...]).bytes.count
    if signing != nil {
      bytes.little([ImageFile.signatureCommand, 16, UInt32(linkedit), UInt32(blank)])
    }
    bytes.setCommandSize()
    precondition(bytes.all.count <= code, "\(libraries.count) libraries do not fit into the code")
    bytes.pad(to: linkedit)
    let signature = signing.map {
      CodeSignature(flags: $0, pages: bytes.all[..<code]).bytes
    }
    if isTampered { bytes.flip(code - 1) }
    return bytes.all + (signature ?? [])
      + [UInt8](repeating: 0, count: Self.page - (signature?.count ?? 0))
  }
}

/// A Mach-O file on its way.
private struct ImageBytes {
  private(set) var all: [UInt8] = []

  mutating func little(_ words: [UInt32]) {
    for word in words { withUnsafeBytes(of: word.littleEndian) { all += $0 } }
  }

  mutating func big(_ words: [UInt32]) { little(words.map(\.byteSwapped)) }

  mutating func pad(to size: Int) {
    all += [UInt8](repeating: 0, count: max(0, size - all.count))
  }

  mutating func flip(_ index: Int) { all[index] ^= 0xFF }

  /// An LC_SEGMENT_64 without sections.
  mutating func segment(_ name: String, at offset: Int, _ size: Int, _ protection: UInt32) {
    little([ImageFile.segmentCommand, 72])
    let end = all.count + 16
    all += name.utf8
    pad(to: end)
    for word in [UInt64(offset), UInt64(size), UInt64(offset), UInt64(size)] {
      little([UInt32(truncatingIfNeeded: word), UInt32(word >> 32)])
    }
    little([7, protection, 0, 0])
  }

  /// An LC_LOAD_DYLIB.
  mutating func library(_ path: String) {
    let size = (24 + path.utf8.count + 8) & ~7
    let end = all.count + size
    little([ImageFile.libraryCommand, UInt32(size), 24, 0, 0x10000, 0x10000])
    all += path.utf8
    pad(to: end)
  }

  /// Notes in the header how many bytes the load commands are.
  mutating func setCommandSize() {
    let header = 32
    withUnsafeBytes(of: UInt32(all.count - header).littleEndian) { size in
      all.replaceSubrange(20..<24, with: size)
    }
  }
}
