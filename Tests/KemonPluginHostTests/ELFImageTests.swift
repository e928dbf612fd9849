// SPDX-License-Identifier: Apache-2.0

import KemonTestSupport
import Testing

@testable import KemonPluginHost

@Suite struct ELFImageTests {
  @Test func `the tables of a real library are read`() throws {
    try withGuardedBytes(try Fixtures.goodBytes()) { bytes in
      let image = try ELFImage(bytes)
      #expect(image.sections.contains { $0.name == ".text" })
      #expect(image.sections.count { $0.name == ".kemon.manifest" } == 1)
      #expect(try image.exports("kemon_plugin_v1"))
      #expect(try !image.exports("kemon_plugin_v"))
      #expect(try !image.exports("kemon_plugin_v11"))
      #expect(try !image.exports("strlen"), "only what is defined counts")
      #expect(!image.asksForExecutableStack)
      #expect(try !image.hasTextRelocations())
      let text = try image.manifestText()
      #expect(String(decoding: text, as: UTF8.self).hasPrefix(#"{"name": "voter""#))
    }
  }

  @Test func `a library that ends too early is refused wherever it ends`() throws {
    let bytes = try Fixtures.goodBytes()
    for length in stride(from: 0, to: bytes.count, by: 64) {
      let library = withGuardedBytes(bytes.prefix(length)) { PluginLibrary($0) }
      let rules = library.broken.map(\.rule.id)
      #expect(rules == [length == 0 ? "elf.magic" : "elf.truncated"], "cut at \(length)")
    }
  }

  @Test func `a cut library is told how much is missing`() throws {
    let bytes = try Fixtures.goodBytes()
    let failure = try #require(throws: BrokenRule.self) {
      try withGuardedBytes(bytes.dropLast()) { _ = try ELFImage($0) }
    }
    #expect(failure.found == "\(bytes.count - 1) bytes")
    #expect(failure.needed == "more: the table of sections ends at byte \(bytes.count)")
  }

  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
  func `damaged libraries give answers and never a wrong read`(seed: UInt64) throws {
    let original = try Fixtures.goodBytes()
    let sections = try withGuardedBytes(original) { try ELFImage($0).sections }
    var generator = SeededRandom(seed: seed)
    // Where a change means something: the header, the tables and what they describe.
    var places = [0..<64, original.count - sections.count * 64..<original.count]
    for section in sections
    where [".dynsym", ".dynstr", ".dynamic", ".shstrtab", ".kemon.manifest"].contains(section.name)
    {
      places.append(Int(section.offset)..<Int(section.offset + section.size))
    }
    var rules: [String: Int] = [:]
    var accepted = 0
    for _ in 0..<1000 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = places.randomElement(using: &generator) ?? 0..<64
        let at = Int.random(in: place, using: &generator)
        let values: [UInt64] = [
          0, 1, 0x7F, 0xFF, 0xFFFF, 0xFFFF_FFFF, .max, 1 << 63, generator.next(),
        ]
        let value = values.randomElement(using: &generator) ?? 0
        for index in 0..<(1 << Int.random(in: 0...3, using: &generator))
        where at + index < bytes.count {
          bytes[at + index] = UInt8(truncatingIfNeeded: value >> (UInt64(index) * 8))
        }
      }
      let library = withGuardedBytes(bytes) { PluginLibrary($0) }
      for failure in library.broken { rules[failure.rule.id, default: 0] += 1 }
      if library.broken.isEmpty { accepted += 1 }
      #expect(!library.broken.isEmpty || library.manifest != nil)
    }
    // The damage reached the checks behind the first one, and did not always matter.
    #expect(rules.count >= 8, "\(rules)")
    #expect(accepted > 10 && accepted < 900, "\(accepted) accepted")
  }

  @Test func `noise is refused`() {
    var generator = SeededRandom(seed: 7)
    for length in 0..<512 {
      var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
      // Every second one begins like a library, so that the noise is read as a header.
      if length % 2 == 0, length >= 64 {
        bytes.replaceSubrange(0..<8, with: [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0])
        bytes.replaceSubrange(16..<20, with: [3, 0, 62, 0])
      }
      let broken = withGuardedBytes(bytes) { PluginLibrary($0).broken }
      #expect(!broken.isEmpty)
    }
  }
}
