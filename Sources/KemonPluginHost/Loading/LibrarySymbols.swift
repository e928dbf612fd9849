// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What a library shows to others, and what texts it has: read from its file, without the dynamic linker.
package struct LibrarySymbols {
  /// A defined symbol that other libraries can see.
  package struct Export: Equatable {
    package let name: String
    /// One definition counts in the whole process, and keeps the library mapped for ever (STB_GNU_UNIQUE).
    package let isUnique: Bool
    /// The linker takes any other definition as well.
    package let isWeak: Bool
  }

  package private(set) var exports: [Export] = []
  /// Whether what the linker has filled in becomes read-only (PT_GNU_RELRO).
  package private(set) var isReadOnlyAfterRelocation = false
  /// Texts among its constants.
  package private(set) var texts: [String] = []

  /// Reads a library's file.
  ///
  /// - Throws: what is wrong with it as an ELF file.
  package init(reading file: String) throws(PluginProblem) {
    let bytes = try Self.contents(of: file)
    defer { bytes.deallocate() }
    do throws(BrokenRule) {
      let image = try ELFImage(UnsafeRawBufferPointer(bytes))
      exports = try image.exports()
      isReadOnlyAfterRelocation = image.segments.contains { $0.type == Self.segmentRelRo }
      texts = try image.texts()
    } catch {
      throw PluginProblem(error, file: file, plugin: nil)
    }
  }

  /// PT_GNU_RELRO.
  private static let segmentRelRo: UInt32 = 0x6474_E552

  /// All bytes of a file; the caller frees them.
  private static func contents(
    of file: String
  ) throws(PluginProblem) -> UnsafeMutableRawBufferPointer {
    let number = open(file, O_RDONLY | O_CLOEXEC)
    let descriptor = Descriptor(number)
    guard number >= 0, let status = descriptor.status() else {
      throw PluginProblem(
        .fileOpen, file: file, found: describe(errno: errno), needed: "a readable file")
    }
    let bytes = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Int(status.st_size), alignment: 16)
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
    var done = 0
    while done < bytes.count {
      let count = read(number, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      done += count
    }
    return bytes
  }
}

extension ELFImage {
  /// Everything that others can see, in the order of the file.
  fileprivate func exports() throws(BrokenRule) -> [LibrarySymbols.Export] {
    var exports: [LibrarySymbols.Export] = []
    for section in sections where section.type == ELF.sectionSymbols {
      guard Int(section.link) < sections.count else { continue }
      let strings = ELFBytes(try contents(of: sections[Int(section.link)]))
      let table = ELFBytes(try contents(of: section))
      for row in stride(from: 0, to: table.count - ELF.symbolSize + 1, by: ELF.symbolSize) {
        let (binding, visibility) = (try table.u8(row + 4) >> 4, try table.u8(row + 5) & 3)
        // Defined, and of default or protected visibility.
        guard binding != 0, try table.u16(row + 6) != 0, visibility == 0 || visibility == 3 else {
          continue
        }
        exports.append(
          LibrarySymbols.Export(
            name: try strings.string(UInt64(try table.u32(row))), isUnique: binding == 10,
            isWeak: binding == 2))
      }
    }
    return exports
  }

  /// Printable texts among the constants, each once, at most as many as are of use.
  fileprivate func texts() throws(BrokenRule) -> [String] {
    var found: [String] = []
    var known: Set<String> = []
    for section in sections where section.name == ".rodata" || section.name == ".rodata.str1.1" {
      for part in try contents(of: section).split(separator: 0) where (2...128).contains(part.count)
      {
        guard part.allSatisfy({ (0x20...0x7E).contains($0) }), found.count < 512 else { continue }
        let text = String(decoding: part, as: UTF8.self)
        if known.insert(text).inserted { found.append(text) }
      }
    }
    return found
  }
}
