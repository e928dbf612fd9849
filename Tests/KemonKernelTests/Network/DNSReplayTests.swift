// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonPlatform
import KemonTestSupport
import Testing

@testable import KemonKernel
@testable import KemonRecording

/// Real name queries, sent again through the model's sockets.
@Suite(.enabled(if: SharedRecordings.isThere, "needs the shared recordings"))
struct DNSReplayTests {
  private struct Frame {
    let number: Int
    let source: Endpoint
    let destination: Endpoint
    let payload: [UInt8]
  }

  /// The UDP frames of a capture that go to a port, or to any.
  private func frames(_ file: String, to port: UInt16) throws -> [Frame] {
    let input = try ImportInput(path: SharedRecordings.path(file))
    var frames: [Frame] = []
    guard var reader = try PcapReader(input) else { return [] }
    while let frame = try? reader.next(input) {
      guard let link = try? LinkFrame(frame.bytes, type: frame.linkType),
        let packet = try? IPPacket(link.packet), packet.transport == 17,
        let datagram = try? UDPDatagram(packet), datagram.destination.port == port
      else { continue }
      frames.append(
        Frame(
          number: frame.number, source: datagram.source, destination: datagram.destination,
          payload: Array(datagram.payload)))
    }
    return frames
  }

  /// Sends a frame's payload from where it came to where it went, and returns what was told.
  private func send(_ frame: Frame, _ model: NetworkModel) throws -> [NetSeen] {
    try model.run(as: NetworkModel.server) { stack in
      let isKnown = stack.protocols.tables.withLock { $0.isLocal(frame.source.address) }
      if !isKnown {
        stack.add(
          NetworkInterface(
            frame.source.address, ether: NetworkInterface.usualEther,
            router: NetworkInterface.usualRouter))
      }
      let socket = try stack.socket(.datagram, family: frame.source.address.family)
      defer { try? stack.close(socket) }
      try stack.bind(socket, to: frame.source)
      try stack.connect(socket, to: frame.destination)
      try stack.send(frame.payload, on: socket)
    }
    return model.seen("net.dns_query")
  }

  @Test func `every captured query is told with the name that others decode`() throws {
    let text = try String(
      contentsOfFile: SharedRecordings.path("dns/expected_udp_questions.tsv"), encoding: .utf8)
    var rows = text.split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
    let columns = rows.removeFirst()
    let model = try NetworkModel()
    var captures: [String: [Int: Frame]] = [:]
    var told = 0
    for row in rows.map({ Dictionary(zip(columns, $0), uniquingKeysWith: { $1 }) }) {
      guard let file = row["file"], row["dport"] == "53", let number = Int(row["frame"] ?? "")
      else { continue }
      let place: Comment = "\(file) frame \(number)"
      if captures[file] == nil {
        captures[file] = Dictionary(
          try frames("dns/\(file)", to: 53).map { ($0.number, $0) }, uniquingKeysWith: { $1 })
      }
      let frame = try #require(captures[file]?[number], place)
      let seen = try send(frame, model)
      // Responses, names that are broken, and the root: the original tells none of them.
      let name = row["qname_escaped"] ?? "-"
      guard row["qr"] == "0", name != "-", name != "." else {
        #expect(seen.isEmpty, place)
        continue
      }
      told += 1
      #expect(seen.count == 1, place)
      #expect(seen.first?.name == Self.unescaped(name), place)
      #expect(seen.first.map { "\($0.type)" } == row["qtype"], place)
      #expect(seen.first?.source == "\(row["src"] ?? ""):\(row["sport"] ?? "")", place)
      #expect(seen.first?.destination == "\(row["dst"] ?? ""):53", place)
      #expect(seen.first?.packet == frame.payload, place)
    }
    #expect(told > 100, "\(told) queries")
  }

  @Test func `the model tells the queries that the importer tells`() throws {
    let model = try NetworkModel()
    var total = 0
    for file in SharedRecordings.files(in: "dns", ".pcap")
      + SharedRecordings.files(in: "pcap", ".pcap")
    {
      var imported: [String] = []
      _ = try #require(TraceFormat.named("pcap"))
        .run(try ImportInput(path: SharedRecordings.path(file))) { record in
          let seen = NetSeen(record)
          let isQuery = seen.kind == "net.dns_query" && seen.destination.hasSuffix(":53")
          if isQuery, !seen.name.isEmpty { imported.append(seen.description) }
        }
      let played = try frames(file, to: 53).flatMap { try send($0, model).map(\.description) }
      #expect(played == imported, "\(file)")
      total += played.count
    }
    #expect(total > 100, "\(total) queries")
  }

  /// The bytes behind a name that is written as in a zone file.
  private static func unescaped(_ name: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(name.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        continue
      }
      let digits = String(decoding: rest.prefix(3), as: UTF8.self)
      if let number = UInt8(digits), digits.utf8.count == 3 {
        bytes.append(number)
        rest = rest.dropFirst(3)
      } else if let next = rest.popFirst() {
        bytes.append(next)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
