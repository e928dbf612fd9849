// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents
import KemonTestSupport
import Testing

/// The bytes of one record of every kind, pinned: recordings and plugins that exist must go on reading them.
@Suite struct RecordGoldenTests {
  static let folder = Checkout.fixture("Golden/records")

  @Test(arguments: EventKind.allKinds)
  func `a record of every kind has the bytes it always had`(kind: EventKind) throws {
    let info = try #require(kind.info)
    var builder = RecordBuilder()
    makeSample(kind, &builder)
    let hex = hexLines(builder.view.bytes)
    let file = Self.folder.appending(path: "\(info.constant.lowercased()).hex")
    if ProcessInfo.processInfo.environment["KEMON_UPDATE_GOLDEN"] != nil {
      try hex.write(to: file, atomically: true, encoding: .utf8)
    }
    let golden = try String(contentsOf: file, encoding: .utf8)
    #expect(hex == golden, "set KEMON_UPDATE_GOLDEN=1 only for a kind that is new or has grown")
  }

  private func hexLines(_ bytes: UnsafeRawBufferPointer) -> String {
    stride(from: 0, to: bytes.count, by: 16)
      .map { start in
        bytes[start..<min(start + 16, bytes.count)]
          .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
          .joined(separator: " ") + "\n"
      }
      .joined()
  }
}
