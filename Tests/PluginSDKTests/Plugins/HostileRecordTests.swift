// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents
import KemonFakeHost
import KemonTestSupport
import Testing

/// Records whose fields lie, right before a page that may not be read: no plugin may look beyond the record.
@Suite struct HostileRecordTests {
  /// Changes what a host's check of a record lets through: everything but the places of its sections, and the NULs
  /// at its end.
  private func mutate(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let index = Int.random(in: 24..<(bytes.count - 2), using: &random)
      guard !(120..<128).contains(index) else { continue }
      bytes[index] =
        Bool.random(using: &random)
        ? UInt8.random(in: 0...255, using: &random)
        : [0, 1, 0x7F, 0x80, 0xFF][Int.random(in: 0..<5, using: &random)]
    }
    bytes.withUnsafeMutableBytes { bytes in
      if UInt8.random(in: 0..<4, using: &random) == 0 {
        bytes.storeBytes(
          of: UInt16.random(in: 0..<0x200, using: &random), toByteOffset: 6, as: UInt16.self)
      }
      if UInt8.random(in: 0..<4, using: &random) == 0 {
        let size = bytes.load(fromByteOffset: 20, as: UInt32.self)
        bytes.storeBytes(
          of: UInt32.random(in: 0...size, using: &random), toByteOffset: 20, as: UInt32.self)
      }
    }
    return bytes
  }

  @Test(
    arguments: [
      ("policy-guard", ["deny": [["name": "com.example.*", "operation": "mpo_x"]]]),
      ("kext-guard", ["deny": [["id": "com.example.*", "below": "2"]]]),
      ("dns-watch", ["print": true, "deny": ["googleapis.com"]]),
      ("path-guard", ["deny": [["path": "/etc/secret"], ["path": "/bin", "except": [501]]]]),
      ("event-log", ["dialect": "2018"]), ("event-log", ["dialect": "2019"]),
      ("event-log", ["format": "jsonl"]),
    ] as [(String, ConfigValue)])
  func `nothing beyond a record is read and every line is whole`(
    name: String, config: ConfigValue
  ) throws {
    let host = FakeHost(config: config)
    let plugin = try PluginLibrary(product: name).run(in: host)
    let page = GuardedBytes(count: 16 * 4096)
    var random = SeededRandom(seed: 2018)
    for record in Samples.everyKind() + Samples.mandiantMonitor() {
      let original = [UInt8](record.view.bytes)
      for _ in 0..<200 {
        let place = page.place(mutate(original, &random))
        let event = try #require(place.baseAddress).assumingMemoryBound(to: kemon_event.self)
        host.call(event)
        let output = host.takeOutput()
        #expect(output.isEmpty || output.hasSuffix("\n"))
        guard case .string("jsonl")? = config[path: "format"] else { continue }
        let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
        #expect(object is [String: Any])
      }
    }
    plugin.stop()
  }
}
