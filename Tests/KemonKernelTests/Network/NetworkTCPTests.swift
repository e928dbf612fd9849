// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

@testable import KemonKernel

/// "Network TCP": counts, durations, first packets, the name of who is gone, link addresses on the right side.
@Suite struct NetworkTCPTests {
  private static let remote = end("17.253.83.201:443")

  private func web(replies: [[UInt8]] = []) throws -> RemoteHost {
    RemoteHost(Self.remote.address, services: [.init(.stream, port: 443, replies: replies)])
  }

  @Test func `Network TCP: a detach counts what passed, and keeps the first packets`() throws {
    let model = try NetworkModel(hosts: [try web(replies: [[1, 2, 3], [4]])])
    model.clock.set(1_531_000_000_000_000_000)
    try model.run { stack in
      let socket = try stack.socket(.stream)
      try stack.connect(socket, to: Self.remote)
      try stack.send("hello", on: socket)
      try stack.send("more", on: socket)
      model.clock.set(1_531_000_001_034_267_000)
      try stack.close(socket)
    }
    let seen = model.seen()
    #expect(seen.map(\.kind) == ["net.connect", "net.connect", "net.tcp_detach"])
    let detach = try #require(seen.last)
    #expect(detach.source == "192.168.1.2:49152")
    #expect(detach.destination == "17.253.83.201:443")
    #expect(detach.counts == [2, 4, 2, 9])
    #expect(detach.duration == 1_034_267_000)
    #expect(detach.first[1] == Array("hello".utf8))
    #expect(detach.pid == 2612 && detach.uid == 501 && detach.parent == "launchd")
    #expect(detach.comm == "Google Chrome" && !detach.isTruncated)
    // The first packet in is the whole frame: Ethernet, IP and TCP headers, then the bytes.
    let frame = detach.first[0]
    #expect(frame.count == 14 + 20 + 20 + 3)
    #expect(frame.prefix(14) == [0x38, 0xF9, 0xD3, 0, 0, 2, 0x60, 0x73, 0x5C, 0, 0, 1, 8, 0])
    #expect(frame[14] == 0x45 && frame[23] == 6)
    #expect(Array(frame[26..<34]) == [17, 253, 83, 201, 192, 168, 1, 2])
    #expect(Array(frame[34..<38]) == [1, 187, 192, 0])
    #expect(frame.suffix(3) == [1, 2, 3])
    #expect(Self.checksum(frame[14..<34]) == 0)
  }

  @Test func `each link address stands on its own side`() throws {
    // The slide has them the wrong way round: Apple's address with the remote end.
    let model = try NetworkModel(hosts: [try web(replies: [[1]])])
    try model.run { stack in
      let socket = try stack.socket(.stream)
      try stack.connect(socket, to: Self.remote)
      try stack.send("x", on: socket)
      try stack.close(socket)
    }
    let detach = try #require(model.seen("net.tcp_detach").first)
    #expect(detach.ethers == ["38:f9:d3:00:00:02", "60:73:5c:00:00:01"])
  }

  @Test func `without inbound packets there are no link addresses and no first packet`() throws {
    let model = try NetworkModel(hosts: [try web()])
    try model.run { stack in
      let silent = try stack.socket(.stream)
      try stack.connect(silent, to: Self.remote)
      try stack.close(silent)
      try stack.close(try stack.socket(.datagram))
    }
    let seen = model.seen("net.tcp_detach", "net.udp_detach")
    #expect(seen.map(\.counts) == [[0, 0, 0, 0], [0, 0, 0, 0]])
    #expect(seen.map(\.ethers) == [["", ""], ["", ""]])
    #expect(seen.map(\.first) == [[[], []], [[], []]], "no bogus byte either")
    #expect(seen.map(\.source) == ["192.168.1.2:49152", "localhost:0"])
    #expect(seen.map(\.destination) == ["17.253.83.201:443", "0.0.0.0:0"])
  }

  @Test func `a first packet is bounded, and says so`() throws {
    let model = try NetworkModel(hosts: [try web()])
    try model.run { stack in
      let socket = try stack.socket(.stream)
      try stack.connect(socket, to: Self.remote)
      try stack.send([UInt8](repeating: 7, count: 5000), on: socket)
      try stack.close(socket)
    }
    let detach = try #require(model.seen("net.tcp_detach").first)
    #expect(detach.counts == [0, 0, 1, 5000])
    #expect(detach.first[1].count == SocketStatistics.keptBytes)
    #expect(detach.isTruncated)
  }

  @Test func `who has ended has no name any more`() throws {
    let model = try NetworkModel(hosts: [try web()])
    try model.run { stack in
      let socket = try stack.socket(.stream)
      try stack.connect(socket, to: Self.remote)
    }
    // The kernel's own thread clears up.
    model.run(as: nil) { $0.processEnded(2612) }
    let detach = try #require(model.seen("net.tcp_detach").first)
    #expect(detach.comm == nil && detach.pid == 2612 && detach.uid == 501)
    #expect(detach.parent == "launchd", "remembered since the attachment")
  }

  @Test func `packets that arrive belong to the receiver, whoever's thread brings them`() throws {
    let model = try NetworkModel()
    let listener = try model.run(as: NetworkModel.server) { stack in
      let socket = try stack.socket(.stream)
      try stack.bind(socket, to: end("127.0.0.1:8080"))
      try stack.listen(socket)
      return socket
    }
    try model.run { stack in
      let client = try stack.socket(.stream)
      try stack.connect(client, to: end("127.0.0.1:8080"))
      try stack.send("12345", on: client)
      try stack.close(client)
    }
    try model.run(as: NetworkModel.server) { try $0.close(try $0.accept(listener)) }
    let seen = model.seen("net.tcp_detach")
    #expect(seen.map(\.pid) == [2612, 80])
    #expect(seen.map(\.counts) == [[0, 0, 1, 5], [1, 5, 0, 0]])
    #expect(seen[1].source == "127.0.0.1:8080" && seen[1].destination == "127.0.0.1:49152")
  }

  // MARK: Connecting

  @Test func `a connection is told before and after`() throws {
    let model = try NetworkModel(hosts: [try web()])
    try model.run { stack in
      try stack.connect(try stack.socket(.stream), to: Self.remote)
      #expect(throws: SocketError.connectionRefused) {
        try stack.connect(try stack.socket(.stream), to: end("17.253.83.201:80"))
      }
      try stack.connect(try stack.socket(.stream, family: 4), to: Self.remote)
    }
    let seen = model.seen("net.connect")
    #expect(
      seen.prefix(4).map(\.description) == [
        "net.connect pre localhost:0 17.253.83.201:443",
        "net.connect post 192.168.1.2:49152 17.253.83.201:443 0",
        "net.connect pre localhost:0 17.253.83.201:80",
        "net.connect post 192.168.1.2:49153 17.253.83.201:80 111",
      ])
    #expect(seen[0].corr == seen[1].corr && seen[0].corr != seen[2].corr)
    #expect(seen.allSatisfy { $0.comm == "Google Chrome" })
  }

  @Test(arguments: [(1, "EPERM"), (13, "EACCES"), (111, "ECONNREFUSED"), (110, "ETIMEDOUT")])
  func `a denied connection is refused with its errno, and never begins`(
    linux: Int32, name: String
  ) throws {
    let rules = NetRules(connects: [443: linux, 8080: linux])
    let model = try NetworkModel(rules, hosts: [try web()])
    let probe = SocketProbe(handle: 1)
    #expect(probe.register(model.stack, .stream) == 0)
    let listener = try model.stack.socket(.stream)
    try model.stack.bind(listener, to: end("127.0.0.1:8080"))
    try model.stack.listen(listener)
    try model.run { stack in
      for destination in [Self.remote, end("127.0.0.1:8080")] {
        let socket = try stack.socket(.stream)
        let error = #expect(throws: SocketError.self) {
          try stack.connect(socket, to: destination)
        }
        #expect(error?.description == name)
        #expect(socket.local == nil && socket.remote == nil)
        #expect(throws: SocketError.notConnected) { try stack.send("x", on: socket) }
      }
    }
    #expect(throws: SocketError.wouldBlock) { try model.stack.accept(listener) }
    #expect(probe.events == [10], "nothing but the listener's bind happened")
    let seen = model.seen("net.connect")
    #expect(seen.map(\.verdict) == [.deny, .abstain, .deny, .abstain])
    #expect(seen.map(\.result) == [0, linux, 0, linux])
    #expect(probe.unregister(model.stack) == 0)
  }

  @Test func `a replaced result is what the caller sees`() throws {
    let rules = NetRules(results: [443: 110, 80: 0])
    let model = try NetworkModel(rules, hosts: [try web()])
    try model.run { stack in
      let socket = try stack.socket(.stream)
      #expect(throws: SocketError.timedOut) { try stack.connect(socket, to: Self.remote) }
      #expect(socket.remote == Self.remote, "it is connected all the same")
      // Refused by the host, and nobody hears of it.
      try stack.connect(try stack.socket(.stream), to: end("17.253.83.201:80"))
    }
  }

  @Test func `models side by side see their own connections only`() throws {
    let (one, other) = (try NetworkModel(hosts: [try web()]), try NetworkModel())
    try one.run { try $0.connect(try $0.socket(.stream), to: Self.remote) }
    #expect(one.seen("net.connect").count == 2)
    #expect(other.seen("net.connect").isEmpty)
    try other.stack.close()
    try one.run { try $0.connect(try $0.socket(.stream), to: Self.remote) }
    #expect(one.seen("net.connect").count == 2)
  }

  @Test func `a closed network tells nothing and leaves nothing behind`() throws {
    let model = try NetworkModel()
    let socket = try model.run { try $0.socket(.datagram) }
    try model.stack.close()
    #expect(model.seen().map(\.kind) == ["net.udp_detach"])
    #expect(!socket.isOpen)
    try model.run { try $0.connect(try $0.socket(.datagram), to: end("127.0.0.1:1")) }
    #expect(model.seen().isEmpty)
  }

  /// The checksum over bytes that have theirs in them: 0 when it is right.
  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt16 {
    bytes.withUnsafeBytes { bytes in
      var sum = Checksum()
      sum.add(bytes)
      return sum.value
    }
  }
}
