// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@testable import KemonEvents

@Suite struct DNSMessageTests {
  /// A query with these bytes behind the header of one question.
  func question(_ name: [UInt8], type: [UInt8] = [0, 1, 0, 1]) -> [UInt8] {
    [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + name + type
  }

  func parse(_ bytes: [UInt8]) throws(DNSError) -> DNSMessage {
    let message = bytes.withUnsafeBytes { bytes in
      Result { () throws(DNSError) in try DNSMessage(parsing: bytes) }
    }
    return try message.get()
  }

  func label(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

  @Test func `a question is read with its name, type and class`() throws {
    let message = try parse(
      question(label("www") + label("Example") + label("org") + [0], type: [0, 28, 0, 1]))
    let first = try #require(message.questions.first)
    #expect(message.id == 0x1234 && !message.isResponse && message.error == nil)
    #expect(first.name.dotted == Array("www.Example.org".utf8))
    #expect(first.type == 28 && first.questionClass == 1)
  }

  @Test func `the root is shown as a dot and has no bytes`() throws {
    let name = try #require(try parse(question([0])).questions.first).name
    #expect(name.display == "." && name.dotted.isEmpty)
  }

  @Test func `bytes that are no text are kept and shown escaped`() throws {
    let name = try #require(
      try parse(question([4, 0x61, 0x2E, 0x5C, 0x00] + [2, 0xFF, 0x20] + [0])).questions.first
    ).name
    #expect(name.display == #"a\.\\\000.\255\032"#)
    #expect(name.dotted == [0x61, 0x2E, 0x5C, 0x00, 0x2E, 0xFF, 0x20])
  }

  @Test func `a pointer back is followed`() throws {
    // Two questions, the second one "mail" in front of the name of the first.
    var bytes = question(label("example") + label("org") + [0])
    bytes[5] = 2
    bytes += label("mail") + [0xC0, 12, 0, 15, 0, 1]
    let message = try parse(bytes)
    #expect(message.error == nil)
    #expect(message.questions.map(\.name.display) == ["example.org", "mail.example.org"])
  }

  @Test(
    arguments: [
      ([0xC0, 12], DNSError.Code.selfPointer, 12),
      ([0xC0, 14], .forwardPointer, 12),
      ([0xC0, 200], .forwardPointer, 12),
      ([1, 0x61, 0xC0, 12], .loop, 14),
      ([1, 0x61, 0xC0, 13], .loop, 14),
      ([0x41, 0x61], .badLabel, 12),
      ([0x80, 0x61], .badLabel, 12),
      ([3, 0x61, 0x62, 0x63, 0xC0], .truncated, 20),
      ([40, 0x61], .truncated, 12),
    ] as [([UInt8], DNSError.Code, Int)])
  func `a broken name is refused by its rule and place`(
    name: [UInt8], code: DNSError.Code, offset: Int
  ) throws {
    let type: [UInt8] = code == .truncated && name.count > 2 ? [] : [0, 1, 0, 1]
    let bytes = question(name, type: code == .truncated && name.last == 0xC0 ? [] : type)
    let message = try parse(bytes)
    #expect(message.questions.isEmpty)
    let error = try #require(message.error)
    #expect(error.code == code)
    if code != .truncated { #expect(error.offset == offset) }
  }

  @Test func `a name has at most 255 bytes`() throws {
    let long = label(String(repeating: "a", count: 63))
    // 3 * 64 + 62 + 1 = 255
    let fits = long + long + long + label(String(repeating: "b", count: 61)) + [0]
    #expect(try parse(question(fits)).error == nil)
    let exceeds = long + long + long + label(String(repeating: "b", count: 62)) + [0]
    #expect(try parse(question(exceeds)).error?.code == .nameTooLong)
  }

  @Test func `two names that point at each other end`() throws {
    var bytes = question([0xC0, 18])
    bytes += [0xC0, 12]
    #expect(try parse(bytes).error?.code == .forwardPointer)
  }

  @Test func `a chain of pointers is bounded`() throws {
    // Each question is a pointer to the one before it.
    var bytes = question(label("a") + [0])
    var last: UInt16 = 12
    for _ in 0..<300 {
      let here = UInt16(bytes.count)
      bytes += [UInt8(0xC0 | last >> 8), UInt8(last & 0xFF), 0, 1, 0, 1]
      last = here
    }
    bytes[4] = 1
    bytes[5] = 45
    let message = try parse(bytes)
    #expect(message.error?.code == .tooManyPointers)
    #expect(message.questions.count == 128)
  }

  @Test(arguments: 0..<12)
  func `a header that is cut is refused`(count: Int) {
    let error = #expect(throws: DNSError.self) {
      try parse([UInt8](repeating: 0, count: count))
    }
    #expect(error == DNSError(.shortHeader, at: count))
  }

  @Test func `questions are kept though a record behind them is cut`() throws {
    var bytes = question(label("a") + [0])
    bytes[7] = 1
    #expect(try parse(bytes).error?.code == .truncatedRecord)
    bytes += [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0]
    let message = try parse(bytes)
    #expect(message.error?.code == .truncatedData)
    #expect(message.questions.count == 1)
    #expect(try parse(bytes + [1]).error == nil)
  }

  @Test func `random bytes never crash the decoder`() throws {
    var random = SeededRandom(seed: 53)
    for _ in 0..<20_000 {
      var bytes =
        (0..<Int.random(in: 0...96, using: &random)).map { _ in
          // Mostly small lengths and pointers, so that the walk gets somewhere.
          [0, 1, 2, 3, 0xC0, 12, 20, .random(in: 0...255, using: &random)]
            .randomElement(using: &random) ?? 0
        } as [UInt8]
      if bytes.count > 5 { bytes[4] = 0 }
      guard let message = try? parse(bytes) else { continue }
      #expect(message.questions.count <= message.questionCount)
      #expect(message.questions.allSatisfy { $0.name.wire.count < DNSName.limit })
      #expect(message.error != nil || message.questions.count == message.questionCount)
    }
  }
}
