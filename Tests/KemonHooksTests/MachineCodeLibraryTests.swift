// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@testable import KemonHooks

/// Lengths of instructions, compared with binutils on whole libraries.
@Suite struct MachineCodeLibraryTests {
  private static let disassembler = Command("objdump")

  @Test(
    .enabled(if: disassembler != nil, "needs objdump"), arguments: ["libc.so.6", "libm.so.6"])
  func `every instruction of a library has the length that binutils says`(
    _ library: String
  ) throws {
    let tool = try #require(Self.disassembler)
    let survey = try LibrarySurvey(of: library)
    let text = try tool.run(["-d", "-w", "--no-addresses", survey.path]).output
    var known = 0
    var different: [String] = []
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.first == 9 {
      // A tab, bytes with spaces, a tab, the text.
      let parts = line.dropFirst().split(separator: 9, maxSplits: 1)
      // 9b waits for the coprocessor: binutils takes it for a part of what follows.
      guard parts.count == 2, parts[0].first != UInt8(ascii: "."), !parts[0].starts(with: "9b".utf8)
      else { continue }
      let bytes = parts[0].split(separator: UInt8(ascii: " ")).compactMap {
        UInt8(String(decoding: $0, as: UTF8.self), radix: 16)
      }
      // More bytes than this instruction has: a walk does not know where it ends either.
      let padded = bytes + [UInt8](repeating: 0x90, count: 16)
      let length = padded.withUnsafeBytes { MachineCode($0)?.length }
      if length == bytes.count {
        known += 1
      } else {
        different.append(String(decoding: line, as: UTF8.self))
      }
    }
    #expect(known > 10_000)
    #expect(different.isEmpty, "\(different.count), among them \(different.prefix(20))")
  }
}
