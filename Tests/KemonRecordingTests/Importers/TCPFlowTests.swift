// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@testable import KemonRecording

private typealias Make = CaptureBuilder

@Suite struct TCPFlowTests {
  /// A frame of a connection between 10.0.0.1:5000 and 10.0.0.2:80.
  func out(_ flags: UInt8, _ payload: [UInt8] = [], port: Int = 5000) -> [UInt8] {
    Make.ethernet(0x0800, Make.ipv4(6, Make.tcp(from: port, to: 80, flags, payload)))
  }

  func back(_ flags: UInt8, _ payload: [UInt8] = [], port: Int = 5000) -> [UInt8] {
    Make.ethernet(
      0x0800, reversed: true,
      Make.ipv4(
        6, from: [10, 0, 0, 2], to: [10, 0, 0, 1], Make.tcp(from: 80, to: port, flags, payload)))
  }

  static let ends =
    "source=10.0.0.1 destination=10.0.0.2 source_port=5000 destination_port=80 "
    + "address_family=4 protocol=6"
  static let detach =
    "source=10.0.0.1 destination=10.0.0.2 source_ether=02:00:00:00:00:01 "
    + "destination_ether=02:00:00:00:00:02 source_port=5000 destination_port=80 "
    + "address_family=4 protocol=6"

  func detach(start: Int, stop: Int, _ counts: String) -> String {
    "net.tcp_detach post pid=0 start_ns=\(start)000005000 stop_ns=\(stop)000005000 "
      + "\(Self.detach) \(counts)"
  }

  @Test func `a connection is told when it opens and when it ends`() throws {
    let imported = try importing(
      "pcap",
      Make.pcap([
        out(Make.syn), back(Make.syn | Make.ack), out(Make.ack),
        out(Make.ack, Array("GET /".utf8)), back(Make.ack, Array("hello, world".utf8)),
        back(Make.ack | Make.fin), out(Make.ack | Make.fin), back(Make.ack), back(Make.ack),
      ]))
    #expect(
      imported.events == [
        "net.connect pre pid=0 \(Self.ends)",
        "net.connect post pid=0 \(Self.ends)",
        detach(
          start: 1000, stop: 1007,
          "in_bytes=12 out_bytes=5 in_packets=4 out_packets=4 first_in=12 bytes first_out=5 bytes"),
      ])
    #expect(imported.report.skipped == ["TCP segment after the end of its connection": 1])
    #expect(imported.isBalanced)
  }

  @Test func `a refused connection ends with ECONNREFUSED`() throws {
    let imported = try importing("pcap", Make.pcap([out(Make.syn), back(Make.rst | Make.ack)]))
    #expect(
      imported.events == [
        "net.connect pre pid=0 \(Self.ends)",
        "net.connect post pid=0 result=ECONNREFUSED \(Self.ends)",
        detach(start: 1000, stop: 1001, "in_packets=1 out_packets=1"),
      ])
  }

  @Test func `what is open at the end of the capture ends there`() throws {
    let imported = try importing("pcap", Make.pcap([out(Make.syn), out(Make.syn)]))
    #expect(
      imported.events == [
        "net.connect pre pid=0 \(Self.ends)",
        detach(start: 1000, stop: 1001, "out_packets=2"),
      ])
  }

  @Test func `the opener is found though the capture began later`() throws {
    // The answer to the opening, data from the server, data from the client.
    for first in [back(Make.syn | Make.ack), back(Make.ack, [1]), out(Make.ack, [1])] {
      let imported = try importing("pcap", Make.pcap([first]))
      #expect(imported.events.count == 1)
      #expect(imported.events.first?.contains(Self.detach) == true)
    }
  }

  @Test func `the same ends can connect again`() throws {
    let once = [out(Make.syn), back(Make.syn | Make.ack), out(Make.ack, [7])]
    let imported = try importing("pcap", Make.pcap(once + once + [out(Make.rst)] + once))
    let kinds = imported.events.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
    let opened = ["net.connect pre", "net.connect post"]
    let ended = ["net.tcp_detach post"]
    #expect(kinds == opened + ended + opened + ended + opened + ended)
    #expect(imported.isBalanced && imported.report.skippedCount == 0)
  }

  @Test func `when there are too many connections the silent ones are let go`() throws {
    var sink = ImportSink(format: "test") { _ in }
    var table = TCPFlowTable(limit: 8)
    for port in 0..<100 {
      let frame = out(Make.syn, port: 1000 + port)
      try frame.withUnsafeBytes { bytes in
        let link = try LinkFrame(bytes, type: 1)
        try table.add(try TCPSegment(try IPPacket(link.packet)), link, at: UInt64(port), &sink)
      }
    }
    let early = sink.report.events[EventKind(KEMON_KIND_NET_TCP_DETACH)] ?? 0
    #expect(early >= 92)
    try table.finish(&sink)
    #expect(sink.report.events[EventKind(KEMON_KIND_NET_TCP_DETACH)] == 100)
  }
}
