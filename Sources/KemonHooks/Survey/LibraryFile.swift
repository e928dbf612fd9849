// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What the file of a shared library says: its exported functions, and what is mapped from it.
///
/// Every number of the file is checked before it is used.
struct LibraryFile {
  /// A function that other programs can find by its name.
  struct Function {
    let name: String
    /// From the beginning of the library.
    let address: UInt
    let size: Int
    /// The address is of code that chooses the function when the library is loaded.
    let isIndirect: Bool
  }

  /// A part of the file that is mapped when the library is loaded.
  struct Segment {
    let address: UInt
    let size: Int
    let fileOffset: Int
    let fileSize: Int
    let isExecutable: Bool
  }

  let path: String
  private(set) var segments: [Segment] = []
  private(set) var functions: [Function] = []

  /// Reads a file.
  ///
  /// - Throws: ``SurveyError`` when it cannot be read or is not a library for this processor.
  init(path: String) throws(SurveyError) {
    self.path = path
    let bytes = try Self.read(path)
    let file = Bytes(path: path, bytes: bytes)
    try requireLibrary(file)
    try readSegments(file)
    try readFunctions(file)
  }

  /// Whether an address, counted from the beginning of the library, is of its code.
  func isCode(_ address: UInt) -> Bool {
    segments.contains { $0.isExecutable && address &- $0.address < UInt($0.size) }
  }

  private func requireLibrary(_ file: Bytes) throws(SurveyError) {
    guard file.bytes.count >= 64, file.bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else {
      throw SurveyError(.notALibrary, path, "not an ELF file; needed is a shared library")
    }
    // 64 bits, little-endian; type 3 is a shared object, machine 62 is x86-64.
    guard file.bytes[4] == 2, file.bytes[5] == 1 else {
      throw SurveyError(.notALibrary, path, "not a 64-bit little-endian ELF file")
    }
    let type = try file.integer(at: 16, UInt16.self)
    let machine = try file.integer(at: 18, UInt16.self)
    guard type == 3, machine == 62 else {
      throw SurveyError(
        .notALibrary, path,
        "ELF type \(type) for machine \(machine); needed is a shared object (3) for x86-64 (62)")
    }
  }

  private mutating func readSegments(_ file: Bytes) throws(SurveyError) {
    let table = try file.offset(at: 32)
    let size = Int(try file.integer(at: 54, UInt16.self))
    let count = Int(try file.integer(at: 56, UInt16.self))
    for index in 0..<count {
      let entry = table + index * size
      guard try file.integer(at: entry, UInt32.self) == 1 else { continue }
      let flags = try file.integer(at: entry + 4, UInt32.self)
      let segment = Segment(
        address: UInt(try file.offset(at: entry + 16)), size: try file.offset(at: entry + 40),
        fileOffset: try file.offset(at: entry + 8), fileSize: try file.offset(at: entry + 32),
        isExecutable: flags & 1 != 0)
      guard segment.fileSize <= segment.size,
        segment.fileOffset + segment.fileSize <= file.bytes.count
      else {
        throw SurveyError(
          .damaged, path, "segment \(index), header at \(entry): it reaches behind the file's end")
      }
      segments.append(segment)
    }
  }

  private mutating func readFunctions(_ file: Bytes) throws(SurveyError) {
    let table = try file.offset(at: 40)
    let size = Int(try file.integer(at: 58, UInt16.self))
    let count = Int(try file.integer(at: 60, UInt16.self))
    for index in 0..<count {
      let section = table + index * size
      // 11: the symbols that the dynamic linker sees.
      guard try file.integer(at: section + 4, UInt32.self) == 11 else { continue }
      let strings = table + Int(try file.integer(at: section + 40, UInt32.self)) * size
      try readSymbols(
        file, at: try file.offset(at: section + 24), size: try file.offset(at: section + 32),
        names: try file.offset(at: strings + 24), namesSize: try file.offset(at: strings + 32))
      return
    }
    throw SurveyError(
      .notALibrary, path, "no section with dynamic symbols among \(count) sections")
  }

  private mutating func readSymbols(
    _ file: Bytes, at start: Int, size: Int, names: Int, namesSize: Int
  ) throws(SurveyError) {
    for symbol in stride(from: start, to: start + size, by: 24) {
      let info = try file.integer(at: symbol + 4, UInt8.self)
      let section = try file.integer(at: symbol + 6, UInt16.self)
      // 2: a function, 10: an indirect one; section 0: of another library.
      guard section != 0, info & 15 == 2 || info & 15 == 10 else { continue }
      let name = Int(try file.integer(at: symbol, UInt32.self))
      guard name < namesSize else {
        throw SurveyError(.damaged, path, "symbol at \(symbol): its name lies outside the names")
      }
      functions.append(
        Function(
          name: try file.text(at: names + name), address: UInt(try file.offset(at: symbol + 8)),
          size: try file.offset(at: symbol + 16), isIndirect: info & 15 == 10))
    }
  }

  private static func read(_ path: String) throws(SurveyError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.unreadable(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.unreadable(path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw SurveyError(.notALibrary, path, "not a file; needed is a shared library")
    }
    let size = Int(status.st_size)
    var failed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size, let start = buffer.baseAddress {
        let taken = Glibc.read(descriptor, start + count, size - count)
        failed = taken < 0
        guard taken > 0 else { return }
        count += taken
      }
    }
    if failed { throw Self.unreadable(path) }
    return bytes
  }

  private static func unreadable(_ path: String) -> SurveyError {
    SurveyError(.unreadable, path, String(cString: strerror(errno)))
  }
}

/// A file's bytes, read with care.
private struct Bytes {
  let path: String
  let bytes: [UInt8]

  func integer<Value: FixedWidthInteger>(
    at offset: Int, _ type: Value.Type
  ) throws(SurveyError) -> Value {
    let size = MemoryLayout<Value>.size
    guard offset >= 0, offset <= bytes.count - size else {
      throw SurveyError(
        .damaged, path,
        "something of \(size) bytes is said to be at \(offset), the file has \(bytes.count)")
    }
    return bytes.withUnsafeBytes {
      Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: type))
    }
  }

  /// A 64-bit number that must be a size or place that can exist.
  func offset(at place: Int) throws(SurveyError) -> Int {
    let value = try integer(at: place, UInt64.self)
    guard value < 1 << 47 else {
      throw SurveyError(.damaged, path, "the number at \(place) is \(value), too large for a place")
    }
    return Int(value)
  }

  func text(at offset: Int) throws(SurveyError) -> String {
    guard offset < bytes.count, let end = bytes[offset...].firstIndex(of: 0) else {
      throw SurveyError(.damaged, path, "a name at \(offset) does not end")
    }
    return String(decoding: bytes[offset..<end], as: UTF8.self)
  }
}
