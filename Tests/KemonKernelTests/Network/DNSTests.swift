// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonKernel

/// "DNS": queries are told with their names, can be dropped, and are never read past their end.
@Suite struct DNSTests {
  private static let server = end("192.168.1.1:53")

  @Test func `DNS: the query of the slide is told as on the slide`() throws {
    let model = try NetworkModel()
    try model.run { stack in
      let socket = try stack.socket(.datagram)
      try stack.bind(socket, to: end("0.0.0.0:10863"))
      try stack.connect(socket, to: Self.server)
      try stack.send(query("safebrowsing.googleapis.com"), on: socket)
    }
    let seen = model.seen("net.dns_query")
    #expect(
      seen.map(\.description)
        == ["net.dns_query pre localhost:10863 192.168.1.1:53 safebrowsing.googleapis.com"])
    #expect(seen[0].pid == 2612 && seen[0].comm == "Google Chrome" && seen[0].type == 1)
    #expect(seen[0].packet == query("safebrowsing.googleapis.com"))
  }

  @Test func `every query is told, with a connection or without`() throws {
    let model = try NetworkModel()
    try model.run { stack in
      let socket = try stack.socket(.datagram)
      try stack.send(query("one.example"), on: socket, to: Self.server)
      try stack.send(query("two.example", type: 28), on: socket, to: end("192.168.1.1:53"))
      try stack.send(query("three.example"), on: socket, to: end("192.168.1.1:5353"))
      let other = try stack.socket(.datagram, family: 6)
      try stack.send(query("six.example"), on: other, to: end("[fd00::1]:53"))
    }
    let seen = model.seen("net.dns_query")
    #expect(seen.map(\.name) == ["one.example", "two.example", "six.example"])
    #expect(seen.map(\.type) == [1, 28, 1])
    #expect(seen[1].source == "192.168.1.2:49152" && seen[2].destination == "fd00::1:53")
  }

  @Test func `a denied query is dropped, and the sender hears why`() throws {
    let model = try NetworkModel(NetRules(queries: ["bad.example": 13]))
    try model.run { stack in
      let socket = try stack.socket(.datagram)
      try stack.connect(socket, to: Self.server)
      let error = #expect(throws: SocketError.self) {
        try stack.send(query("bad.example"), on: socket)
      }
      #expect(error == .accessDenied)
      #expect(stack.sentCount == 0 && stack.sent.isEmpty, "nothing was sent")
      try stack.send(query("good.example"), on: socket)
      #expect(stack.sent.map(\.bytes) == [query("good.example")])
      try stack.close(socket)
    }
    let seen = model.seen()
    #expect(seen.filter { $0.kind == "net.dns_query" }.map(\.verdict) == [.deny, .abstain])
    #expect(seen.last?.counts[2] == 1, "what was dropped was not sent")
  }

  /// The names of section 7 of the facts about the original.
  static let vectors: [(name: [UInt8], expected: String?)] = [
    (
      [12] + Array("safebrowsing".utf8) + [10] + Array("googleapis".utf8) + [3]
        + Array("com".utf8) + [0], "safebrowsing.googleapis.com"
    ),
    ([0], nil), ([0xC0, 12, 0], nil), ([5, 0x61, 0x62, 0], nil),
    ([3, 0x61, 0x2E, 0x62, 2, 0x78, 0x79, 0], "a.b.xy"),
  ]

  @Test(arguments: vectors.indices)
  func `names are read as by the original`(index: Int) throws {
    let (name, expected) = Self.vectors[index]
    let model = try NetworkModel()
    let message = [0x9F, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + name + [0, 1, 0, 1]
    let socket = try model.stack.socket(.datagram)
    try model.stack.send(message, on: socket, to: Self.server)
    #expect(model.seen("net.dns_query").map(\.name) == (expected.map { [$0] } ?? []))
    #expect(model.stack.sentCount == 1, "what is no query passes")
  }

  @Test func `responses and cut headers are no queries`() throws {
    let model = try NetworkModel()
    let socket = try model.stack.socket(.datagram)
    var response = query("a.example")
    response[2] = 0x81
    for message in [response, [], Array(query("a.example").prefix(11))] {
      try model.stack.send(message, on: socket, to: Self.server)
    }
    #expect(model.seen("net.dns_query").isEmpty)
  }

  @Test func `mutated messages never make the filter read past their end`() throws {
    let model = try NetworkModel()
    let socket = try model.stack.socket(.datagram)
    var random = SeededRandom(seed: 53)
    let original = query("safebrowsing.googleapis.com")
    for _ in 0..<5000 {
      var message = original
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<message.count, using: &random)
        message[place] =
          [0, 1, 63, 64, 0xC0, 0xFF, .random(in: 0...255, using: &random)]
          .randomElement(using: &random) ?? 0
      }
      message = Array(message.prefix(.random(in: 0...message.count, using: &random)))
      // The parser itself, with an inaccessible page behind the message.
      let name = withGuardedBytes(message) { bytes in
        SocketStatistics.question(in: bytes).map { String(decoding: $0.name.dotted, as: UTF8.self) }
      }
      try model.stack.send(message, on: socket, to: Self.server)
      #expect(model.seen("net.dns_query").map(\.name) == (name.map { [$0] } ?? []))
    }
  }

  @Test func `traffic is told packet by packet when it is asked for`() throws {
    let address = Self.server.address
    let host = RemoteHost(address, services: [.init(.datagram, port: 53, replies: [[1, 2]])])
    let model = try NetworkModel(hosts: [host])
    model.stack.showsTraffic = true
    try model.run { stack in
      let socket = try stack.socket(.datagram)
      try stack.bind(socket, to: end("0.0.0.0:10863"))
      try stack.connect(socket, to: Self.server)
      try stack.send(query("safebrowsing.googleapis.com"), on: socket)
    }
    let seen = model.seen("net.packet", "net.dns_query")
    #expect(
      seen.map(\.description) == [
        "net.packet notify localhost:10863 192.168.1.1:53 out",
        "net.dns_query pre localhost:10863 192.168.1.1:53 safebrowsing.googleapis.com",
        "net.packet notify localhost:10863 192.168.1.1:53 in",
      ])
    #expect(seen[0].counts == [0xffff_ff80_49a1_16c0], "where the slide's packet lies")
    #expect(seen[0].packet == query("safebrowsing.googleapis.com"))
    #expect(seen[2].packet == [1, 2])
    #expect(seen[2].ethers == ["38:f9:d3:00:00:02", "60:73:5c:00:00:01"])
  }
}
