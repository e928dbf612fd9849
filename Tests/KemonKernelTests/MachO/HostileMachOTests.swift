// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonKernel
import KemonTestSupport
import Testing

/// Files that were made, or damaged, to break their reader.
@Suite struct HostileMachOTests {
  private static let good: [UInt8] = MachOBuilder(policies: [.init()]).bytes
  /// Where the load commands are: three segments, the symbol table, the UUID.
  private static let (text, data, symbols, uuid) = (32, 104, 248, 272)

  /// A number that is put into the good file, and what must be said about it.
  struct Damage: CustomTestStringConvertible, Sendable {
    let place: Int
    let value: [UInt8]
    let offset: Int?
    let message: String

    init<Value: FixedWidthInteger>(
      _ place: Int, _ value: Value, at offset: Int?, _ message: String
    ) {
      self.place = place
      self.value = withUnsafeBytes(of: value.littleEndian) { Array($0) }
      self.offset = offset
      self.message = message
    }

    var testDescription: String { message }
  }

  @Test(arguments: [
    Damage(0, UInt32(0x464C_457F), at: 0, "needed is 0xfeedfacf"),
    Damage(0, UInt32(0xFEED_FACE), at: 0, "0xfeedface; needed is 0xfeedfacf"),
    Damage(4, UInt32(18), at: 4, "processor 0x12; known are x86_64"),
    Damage(12, UInt32(2), at: 12, "file type 2; needed is 11"),
    Damage(16, UInt32.max, at: 0x20 + 264, "load command 5 has 4 bytes from here"),
    Damage(20, UInt32.max, at: 32, "the load commands has 4294967295 bytes from here"),
    Damage(text + 4, UInt32(7), at: 36, "load command 0 has 7 bytes"),
    Damage(text + 4, UInt32(0), at: 36, "load command 0 has 0 bytes"),
    Damage(text + 4, UInt32.max - 3, at: 32, "load command 0 has 4294967292 bytes"),
    Damage(uuid + 4, UInt32(12), at: uuid + 8, "the UUID has 16 bytes"),
    Damage(text + 24, UInt64.max, at: 56, "segment __TEXT ends beyond 64 bits"),
    Damage(text + 40, UInt64.max, at: nil, "segment __TEXT has"),
    Damage(text + 48, UInt64(1) << 40, at: 80, "in the file, 4096 in memory"),
    Damage(text + 64, UInt32(1), at: 96, "1 sections do not fit into the command"),
    Damage(text + 64, UInt32.max, at: 96, "4294967295 sections do not fit"),
    Damage(data + 24, UInt64(0x1800), at: 32, "segments __TEXT and __DATA lie over each other"),
    Damage(symbols + 8, UInt32.max, at: nil, "the symbol table has"),
    Damage(symbols + 12, UInt32.max, at: nil, "the symbol table has 68719476720 bytes"),
    Damage(symbols + 20, UInt32.max, at: nil, "the string table has 4294967295 bytes"),
    Damage(symbols + 20, UInt32(3), at: nil, "of the string table has no end or is no text"),
    Damage(uuid, UInt32(2), at: uuid, "a second symbol table"),
  ])
  func `a number that is wrong is refused with its place`(_ damage: Damage) throws {
    var bytes = Self.good
    bytes.replaceSubrange(damage.place..<damage.place + damage.value.count, with: damage.value)
    let error = try #require(throws: MachOError.self) { try KextFile(bytes, file: "hostile") }
    #expect(error.file == "hostile")
    #expect(error.message.contains(damage.message), "\(error)")
    if let offset = damage.offset { #expect(error.offset == UInt64(offset), "\(error)") }
  }

  @Test func `an empty file is refused`() throws {
    let error = try #require(throws: MachOError.self) { try KextFile([], file: "empty") }
    #expect(error.description.hasPrefix("empty: offset 0x0: the magic number has 4 bytes"))
  }

  @Test(
    arguments: [
      (0, 0, "0 slices, needed are 1 to 64"), (0, UInt32.max, "4294967295 slices"),
      (0, 65, "65 slices"), (8 + 8, UInt32(0), "lies in the fat header"),
      (8 + 8, UInt32.max, "slice 0 has"), (8 + 12, UInt32(0), "slice 0 has 0 bytes"),
      (8 + 12, UInt32.max, "slice 0 has 4294967295 bytes"),
      (28 + 8, UInt32(512), "slice 1 lies over another one"),
    ] as [(Int, UInt32, String)])
  func `a fat header is not believed`(_ place: Int, _ value: UInt32, _ message: String) throws {
    let fat = MachOBuilder.fat([(0x0100_0007, 3, Self.good), (0x0100_000C, 2, Self.good)])
    let bytes = fat.with(value.byteSwapped, at: place == 0 ? 4 : place)
    let error = try #require(throws: MachOError.self) { try KextFile(bytes, file: "fat") }
    #expect(error.message.contains(message), "\(error)")
  }

  @Test func `a kmod_info outside of the file is refused`() throws {
    var builder = MachOBuilder()
    builder.imports = []
    // The value of the first symbol.
    let bytes = builder.bytes
    let table =
      bytes.count - 4 * 16 - 1 - "_kmod_info_driver_start_driver_stopa debugger's entry".utf8.count
      - 4
    let error = try #require(throws: MachOError.self) {
      try KextFile(bytes.with(UInt64(0x1_0000), at: table + 8), file: "kmod")
    }
    #expect(error.message.contains("kmod_info is said to be at 0x10000"))
  }

  @Test func `every truncation is refused or read`() {
    for count in 0..<Self.good.count { read(Array(Self.good.prefix(count))) }
    let fat = MachOBuilder.fat([(0x0100_0007, 3, Self.good)], wide: true)
    for count in 0..<fat.count { read(Array(fat.prefix(count))) }
  }

  @Test func `ten thousand mutations end in an error or an image, never in a crash`() {
    var random = SeededRandom(seed: 42)
    let fat = MachOBuilder.fat([(0x0100_0007, 3, Self.good), (0x0100_000C, 2, Self.good)])
    let interesting: [UInt64] = [
      0, 1, 7, 8, 0x7F, 0xFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF,
      0xFFFF_FFFF_FFFF_FFF8, .max,
    ]
    for round in 0..<10_000 {
      var bytes = round.isMultiple(of: 2) ? Self.good : fat
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        // Headers are where numbers steer the reader: half of the mutations are there.
        let limit =
          Bool.random(using: &random)
          ? min(bytes.count, MachOBuilder.firstSlice + 300) : bytes.count
        let place = Int.random(in: 0..<limit - 8, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1:
          bytes = bytes.with(UInt32(truncatingIfNeeded: pick(interesting, &random)), at: place)
        default: bytes = bytes.with(pick(interesting, &random), at: place)
        }
      }
      read(bytes)
    }
  }

  private func pick(_ numbers: [UInt64], _ random: inout SeededRandom) -> UInt64 {
    numbers[Int.random(in: 0..<numbers.count, using: &random)]
  }

  /// Reads a file and all that is made from it; what must not happen is a trap.
  private func read(_ bytes: [UInt8]) {
    guard let file = try? KextFile(bytes, file: "fuzz") else { return }
    for case .success(let image) in file.slices {
      #expect(image.startListing().count <= 15)
      #expect(image.policies.allSatisfy { $0.handlers.count <= 335 })
    }
  }
}
