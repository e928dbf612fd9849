// SPDX-License-Identifier: Apache-2.0

import CKernelImage
import KemonBus
import KemonEvents
import KemonPlatform
import Synchronization
import Testing

@testable import KemonKernel

/// The network under load: many threads, handlers that come and go, and nothing that gets lost.
@Suite struct NetworkLoadTests {
  @Test func `eight threads use sockets while handlers come and go, and every event is told`()
    throws
  {
    let ring = EventRing()
    let dispatcher = Dispatcher(ring: ring)
    let counts = PosixLock([String: Int]())
    let subscription = try ring.subscribe(named: "test", overflow: .block)
    let isOver = Atomic<Bool>(false)
    let reader = WorkerThread(named: "reader") {
      var known: [String: Int] = [:]
      while true {
        let isLast = isOver.load(ordering: .acquiring)
        let taken = subscription.drain { record in
          let seen = NetSeen(record)
          known["\(seen.kind) \(seen.phase.name)", default: 0] += 1
          return true
        }
        if taken == 0 {
          if isLast { break }
          subscription.wait(milliseconds: 1)
        }
      }
      let total = known
      counts.withLock { $0 = total }
    }
    let stack = try NetworkStack(
      release: .macOS10_13_6, records: KernelRecords(dispatcher: dispatcher))
    stack.add(
      RemoteHost(
        end("203.0.113.5:0").address, services: [.init(.stream, port: 443, replies: [[1, 2]])]))
    let rules = NetRules(queries: ["bad.example": 1], connects: [81: 13])
    let rounds = 200
    let threads = (0..<8).map { number in
      WorkerThread(named: "load") {
        Lane.current.process = NetworkModel.chrome
        for round in 0..<rounds {
          Self.useStream(stack, port: round % 4 == 0 ? 81 : 443)
          Self.askNames(stack)
          Self.talkInside(stack, port: UInt16(6000 + number * 256 + round))
        }
      }
    }
    for _ in 0..<100 { dispatcher.remove(dispatcher.add(rules.handlers)) }
    for thread in threads { thread.join() }
    try stack.close()
    isOver.store(true, ordering: .releasing)
    reader.join()
    let told = counts.withLock { $0 }
    let total = 8 * rounds
    // A stream to outside, one inside, the accepted end and its listener; each connection twice.
    #expect(told["net.connect pre"] == 2 * total)
    #expect(told["net.connect post"] == told["net.connect pre"])
    #expect(told["net.tcp_detach post"] == 4 * total)
    #expect(told["net.udp_detach post"] == total)
    #expect(told["net.dns_query pre"] == 2 * total)
    #expect(subscription.account.isBalanced && subscription.account.lost == 0)
    #expect(kernel_network_references(stack.network) == 1)
    #expect(stack.sockets.isEmpty)
  }

  private static func useStream(_ stack: NetworkStack, port: UInt16) {
    guard let socket = try? stack.socket(.stream) else { return }
    try? stack.connect(
      socket, to: Endpoint(address: end("203.0.113.5:0").address, port: port))
    try? stack.send([3], on: socket)
    _ = try? stack.receive(socket)
    try? stack.close(socket)
  }

  private static func askNames(_ stack: NetworkStack) {
    guard let socket = try? stack.socket(.datagram) else { return }
    for name in ["good.example", "bad.example"] {
      try? stack.send(query(name), on: socket, to: end("192.0.2.53:53"))
    }
    try? stack.close(socket)
  }

  private static func talkInside(_ stack: NetworkStack, port: UInt16) {
    guard let listener = try? stack.socket(.stream), let client = try? stack.socket(.stream) else {
      return
    }
    let local = Endpoint(address: end("127.0.0.1:0").address, port: port)
    try? stack.bind(listener, to: local)
    try? stack.listen(listener)
    try? stack.connect(client, to: local)
    try? stack.send([1], on: client)
    let connection = try? stack.accept(listener)
    _ = try? connection.flatMap { try stack.receive($0) }
    for socket in [client, connection, listener] {
      if let socket { try? stack.close(socket) }
    }
  }
}
