// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents
import KemonFakeHost
import Testing

/// Records whose fields lie, right before a page that may not be read: no plugin may look beyond the record.
@Suite struct HostileRecordTests {
  /// Bytes that end where a forbidden page begins.
  private final class GuardedPage {
    private let base: UnsafeMutableRawPointer
    private let size = 16 * 4096

    init() throws {
      let mapped = mmap(
        nil, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      base = try #require(mapped)
      try #require(mapped != MAP_FAILED)
      try #require(mprotect(base + size, 4096, PROT_NONE) == 0)
    }

    deinit { munmap(base, size + 4096) }

    func place(_ bytes: [UInt8]) -> UnsafePointer<kemon_event> {
      let start = base + size - bytes.count
      start.copyMemory(from: bytes, byteCount: bytes.count)
      return UnsafePointer(start.assumingMemoryBound(to: kemon_event.self))
    }
  }

  /// Changes what a host's check of a record lets through: everything but the places of its sections, and the NULs
  /// at its end.
  private func mutate(_ bytes: [UInt8], _ random: inout SplitMix) -> [UInt8] {
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
    let page = try GuardedPage()
    var random = SplitMix(state: 2018)
    for record in Samples.everyKind() + Samples.mandiantMonitor() {
      let original = [UInt8](record.view.bytes)
      for _ in 0..<200 {
        let event = page.place(mutate(original, &random))
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
