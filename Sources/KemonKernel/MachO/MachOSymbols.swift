// SPDX-License-Identifier: Apache-2.0

/// The symbols of a Mach-O image: what it imports, and where its own are.
struct MachOSymbols: Sendable {
  /// Names of what it needs from others, sorted, without the leading underscore of C.
  private(set) var imports: [String] = []
  /// Addresses of its own, by name with the underscore.
  private(set) var addresses: [String: UInt64] = [:]
  /// Its own names by address: the first of several.
  private(set) var names: [UInt64: String] = [:]

  /// A name longer than this is cut off by nobody: it is refused.
  private static let longestName = 4096

  init() {}

  /// Reads an LC_SYMTAB.
  ///
  /// - Parameters:
  ///   - command: the whole command.
  ///   - slice: what its offsets count from.
  init(_ command: MachOBytes, in slice: MachOBytes) throws(MachOError) {
    let what = "the symbol table command"
    let offset: UInt32 = try command.number(at: 8, what)
    let count: UInt32 = try command.number(at: 12, what)
    let textOffset: UInt32 = try command.number(at: 16, what)
    let textSize: UInt32 = try command.number(at: 20, what)
    let texts = try slice.part(at: UInt64(textOffset), count: UInt64(textSize), "the string table")
    let table = try slice.part(
      at: UInt64(offset), count: UInt64(count) * 16, "the symbol table")
    var found: Set<String> = []
    for row in stride(from: UInt64(0), to: table.count, by: 16) {
      let type: UInt8 = try table.number(at: row + 4, "a symbol")
      // Entries for debuggers.
      guard type & 0xE0 == 0 else { continue }
      let place: UInt32 = try table.number(at: row, "a symbol")
      guard let name = texts.text(at: UInt64(place), longest: Self.longestName) else {
        throw table.malformed(
          row, "the name at \(place) of the string table has no end or is no text")
      }
      let value: UInt64 = try table.number(at: row + 8, "a symbol")
      switch type & 0x0E {
      // N_UNDF with a value is a common symbol: its own.
      case 0 where type & 1 != 0 && value == 0:
        found.insert(name.hasPrefix("_") ? String(name.dropFirst()) : name)
      case 0x0E:
        addresses[name] = value
        if names[value] == nil { names[value] = name }
      default: break
      }
    }
    imports = found.sorted()
  }
}
