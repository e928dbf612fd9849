// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonKernel

/// The bytes of the original's messages, against files that another program wrote from the table of its structs.
@Suite struct OriginalMessageTests {
  @Test(arguments: OriginalMessage.kinds)
  func `every message has the bytes of the original's struct`(kind: EventKind) throws {
    let constant = try #require(kind.info?.constant.lowercased())
    var builder = RecordBuilder()
    OriginalSamples.make(kind, &builder)
    let message = try #require(OriginalMessage(builder.seal()))
    let golden = try Checkout.golden("original/\(constant).hex")
    #expect(Self.rows(message.bytes) == golden)
  }

  /// The rows that are not all zeros.
  private static func rows(_ bytes: [UInt8]) -> String {
    var text = "\(bytes.count) bytes\n"
    for offset in stride(from: 0, to: bytes.count, by: 16) {
      let row = bytes[offset..<min(offset + 16, bytes.count)]
      guard row.contains(where: { $0 != 0 }) else { continue }
      let digits = row.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      let place = String(offset, radix: 16)
      text += String(repeating: "0", count: 4 - place.count) + place + "  "
      text += digits.joined(separator: " ") + "\n"
    }
    return text
  }

  @Test func `every type of the original has a message, and no other kind has one`() {
    #expect(
      OriginalMessage.kinds.map(\.rawValue).sorted()
        == Array(0...9) + [0x20, 0x40, 0x41, 0x42, 0x60, 0x61, 0x62])
    for kind in EventKind.allKinds {
      var builder = RecordBuilder()
      builder.begin(kind)
      let message = OriginalMessage(builder.seal())
      #expect((message != nil) == OriginalMessage.kinds.contains(kind), "\(kind.rawValue)")
    }
  }

  @Test func `texts are cut at the end of their field and keep a NUL`() throws {
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_FILE_RENAME))
    let long = String(repeating: "x", count: 3000)
    builder.setPayload(
      kemon_file_pair(dev: 0, ino: 0, path: builder.text(long), to: builder.text(long)))
    let bytes = try #require(OriginalMessage(builder.seal())).bytes
    #expect(bytes.count == 4136)
    #expect(bytes[2088..<3111].allSatisfy { $0 == 0x78 } && bytes[3111] == 0)
    #expect(bytes[3112..<4135].allSatisfy { $0 == 0x78 } && bytes[4135] == 0)
  }

  @Test func `an exec without arguments has no command line`() throws {
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_PROCESS_EXEC))
    var payload = kemon_exec()
    payload.path = builder.text("/bin/ls")
    builder.setPayload(payload)
    let bytes = try #require(OriginalMessage(builder.seal())).bytes
    #expect(bytes.count == 4136 && bytes[3112..<3120].allSatisfy { $0 == 0 })
  }

  @Test func `a payload that is too short gives no message`() {
    for kind in OriginalMessage.kinds {
      var builder = RecordBuilder()
      builder.begin(kind)
      builder.header.pointee.payload_size = 8
      #expect(OriginalMessage(builder.seal()) == nil)
    }
  }
}
