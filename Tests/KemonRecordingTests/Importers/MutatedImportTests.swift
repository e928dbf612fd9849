// SPDX-License-Identifier: Apache-2.0

import KemonTestSupport
import Testing

@testable import KemonRecording

/// Real traces with changed, missing and repeated bytes: nothing may crash, hang, or disappear from the account.
@Suite struct MutatedImportTests {
  static let rounds = 2000

  /// Small traces of a format: those of the repository, and real ones when they are there.
  static func samples(_ format: String) throws -> [[UInt8]] {
    func whole(_ path: String) throws -> [UInt8] {
      let input = try ImportInput(path: path)
      var all: [UInt8] = []
      while case let count = input.available(upTo: 4096), count > 0, let piece = input.take(count) {
        all += piece
      }
      return all
    }
    switch format {
    case "sysdig-json":
      return try [whole(Fixtures.path("Recordings/sysdig.jsonl"))]
        + SharedRecordings.files(in: "linux_scap_json", "single_ipv6_conn.jsonl.gz")
        .map { try whole(SharedRecordings.path($0)) }
    case "tracee": return try [whole(Fixtures.path("Recordings/tracee.jsonl"))]
    case "santa": return try [whole(Fixtures.path("Recordings/santa.log"))]
    default:
      let query = PcapImporterTests.query
      let made = [
        CaptureBuilder.pcap([query, query]),
        CaptureBuilder.section() + CaptureBuilder.interface() + CaptureBuilder.enhanced(query),
      ]
      let real = try
        (SharedRecordings.files(in: "dns", ".pcap") + SharedRecordings.files(in: "pcap", ".pcap"))
        .map { try whole(SharedRecordings.path($0)) }
      return made + real.filter { $0.count < 8000 }
    }
  }

  static func mutate(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes.removeLast(bytes.count - place)
      case 1: bytes.removeSubrange(place..<min(bytes.count, place + 5))
      case 2: bytes.insert(contentsOf: bytes.prefix(place).suffix(40), at: place)
      case 3: bytes[place] ^= 1 << Int.random(in: 0..<8, using: &random)
      case 4: bytes[place] = [0, 0xFF, 0x7F, 0x80].randomElement(using: &random) ?? 0
      default: bytes[place] = .random(in: 0...255, using: &random)
      }
    }
    return bytes
  }

  @Test(arguments: ["pcap", "sysdig-json", "tracee", "santa"])
  func `mutated traces are accounted for`(format: String) throws {
    var random = SeededRandom(seed: 2018)
    let samples = try Self.samples(format)
    for round in 0..<Self.rounds {
      let bytes = Self.mutate(samples[round % samples.count], &random)
      let imported = try importing(format, bytes)
      #expect(imported.isBalanced, "\(format) round \(round)")
    }
  }

  @Test func `mutated gzip is accounted for`() throws {
    var random = SeededRandom(seed: 1952)
    let data = gzip(try Array(Fixtures.text("Recordings/santa.log").utf8))
    for round in 0..<500 {
      let imported = try importing("santa", Self.mutate(data, &random))
      #expect(imported.isBalanced, "round \(round)")
    }
  }
}
