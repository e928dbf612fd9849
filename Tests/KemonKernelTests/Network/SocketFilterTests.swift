// SPDX-License-Identifier: Apache-2.0

import CKernelImage
import CKernelImageFixtures
import Foundation
import KemonBus
import KemonPlatform
import KemonTestSupport
import Synchronization
import Testing

@testable import KemonKernel

@Suite struct SocketFilterTests {
  private func attached(_ probe: SocketProbe) -> Int {
    probe.count(Int(PROBE_ATTACH)) - probe.count(Int(PROBE_DETACH))
  }

  @Test func `registering has all of the kernel's errors`() throws {
    let model = try NetworkModel()
    let stack = model.stack
    var filter = kernel_sflt_filter()
    func register(_ domain: Int32, _ type: Int32, _ protocol_: Int32) -> Int32 {
      stack.inNetwork { sflt_register(&filter, domain, type, protocol_) }
    }
    #expect(register(1, KERNEL_SOCK_STREAM, KERNEL_IPPROTO_TCP) == KERNEL_ENOTSUP)
    #expect(register(KERNEL_AF_INET, KERNEL_SOCK_STREAM, 99) == KERNEL_ENOENT)
    #expect(register(KERNEL_AF_INET, KERNEL_SOCK_DGRAM, KERNEL_IPPROTO_TCP) == KERNEL_ENOENT)
    let name = strdup("org.example.filter")
    defer { free(name) }
    let attach:
      @convention(c) (UnsafeMutablePointer<UnsafeMutableRawPointer?>?, OpaquePointer?) ->
        Int32 = { _, _ in 0 }
    let detach: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?) -> Void = { _, _ in }
    for missing in 0..<4 {
      filter = kernel_sflt_filter()
      filter.sf_handle = missing == 0 ? 0 : 9
      filter.sf_name = missing == 1 ? nil : UnsafePointer(name)
      filter.sf_attach = missing == 2 ? nil : attach
      filter.sf_detach = missing == 3 ? nil : detach
      #expect(register(KERNEL_AF_INET, KERNEL_SOCK_STREAM, KERNEL_IPPROTO_TCP) == KERNEL_EINVAL)
    }
    let probe = SocketProbe(handle: 9)
    kernel_network_exhaust(stack.network, true)
    #expect(probe.register(stack, .stream) == KERNEL_ENOBUFS)
    #expect(throws: SocketError.noBuffers) { try stack.socket(.stream) }
    kernel_network_exhaust(stack.network, false)
    #expect(probe.register(stack, .stream) == 0)
    #expect(probe.register(stack, .datagram) == KERNEL_EEXIST)
    #expect(SocketProbe(handle: 0xFFF8_037E).register(stack, .stream) == KERNEL_EEXIST)
    #expect(probe.unregister(stack) == 0)
    #expect(probe.unregister(stack) == KERNEL_ENOENT)
    #expect(probe.count(Int(PROBE_UNREGISTERED)) == 1)
  }

  @Test func `without a socket of its protocol a filter is asked nothing`() throws {
    let model = try NetworkModel()
    let probe = SocketProbe(handle: 1)
    #expect(probe.register(model.stack, .stream, family: 6) == 0)
    _ = try model.stack.socket(.stream)
    _ = try model.stack.socket(.datagram, family: 6)
    #expect(probe.count(Int(PROBE_ATTACH)) == 0)
    _ = try model.stack.socket(.stream, family: 6)
    #expect(probe.count(Int(PROBE_ATTACH)) == 1)
    #expect(probe.unregister(model.stack) == 0)
  }

  @Test func `the newest filter is asked first`() throws {
    let model = try NetworkModel()
    let order = PosixLock([UInt32]())
    let probes = (1...3).map { handle in
      SocketProbe(handle: UInt32(handle)) { callback in
        if callback == Int32(PROBE_BIND) { order.withLock { $0.append(UInt32(handle)) } }
      }
    }
    for probe in probes { #expect(probe.register(model.stack, .datagram) == 0) }
    let socket = try model.stack.socket(.datagram)
    try model.stack.bind(socket, to: end("127.0.0.1:5000"))
    #expect(order.withLock { $0 } == [3, 2, 1])
    for probe in probes { #expect(probe.unregister(model.stack) == 0) }
  }

  @Test func `the rule sflt is what a chain of filters does`() throws {
    let model = try NetworkModel()
    let probes = (1...3).map { SocketProbe(handle: UInt32($0)) }
    for probe in probes { #expect(probe.register(model.stack, .datagram) == 0) }
    let possible: [Int32] = [0, KERNEL_EJUSTRETURN, 1, 13, 61]
    for case let answers in possible.flatMap({ a in
      possible.flatMap { b in possible.map { [a, b, $0] } }
    }) {
      // Answers are newest first, the newest probe is the last one.
      for (probe, answer) in zip(probes.reversed(), answers) {
        probe.answer(Int32(PROBE_BIND), answer)
      }
      let socket = try model.stack.socket(.datagram)
      let outcome: SocketFilterRule.Outcome
      do throws(SocketError) {
        try model.stack.bind(socket, to: end("127.0.0.1:0"))
        outcome = socket.local == nil ? .swallowed : .proceed
      } catch {
        outcome = .failed(error.number)
      }
      #expect(outcome == SocketFilterRule.combine(answers), "\(answers)")
      try model.stack.close(socket)
    }
    for probe in probes { #expect(probe.unregister(model.stack) == 0) }
    #expect(SocketFilterRule.combine([Int32]()) == .proceed)
    #expect(SocketFilterRule.name == "sflt")
  }

  @Test func `all ten events are told`() throws {
    let model = try NetworkModel()
    let stack = model.stack
    let probe = SocketProbe(handle: 1)
    #expect(probe.register(stack, .stream) == 0)
    let listener = try stack.socket(.stream)
    try stack.bind(listener, to: end("127.0.0.1:8080"))
    try stack.listen(listener)
    let client = try stack.socket(.stream)
    try stack.connect(client, to: end("127.0.0.1:8080"))
    #expect(
      probe.events.map(Int.init)
        == [
          sock_evt_bound, sock_evt_bound, sock_evt_connecting, sock_evt_connected,
          sock_evt_connected,
        ], "the listener is bound, the client bound, both ends connected")
    try stack.shutdown(client, how: 2)
    try stack.close(client)
    let text = try String(
      contentsOf: Checkout.fixture("Facts/sockfilter-events.tsv"), encoding: .utf8)
    let numbers = text.split(separator: "\n").dropFirst()
      .compactMap { $0.split(separator: "\t").last.flatMap { Int32($0) } }
    #expect(numbers == Array(1...10))
    #expect(Set(probe.events) == Set(numbers))
    #expect(probe.unregister(stack) == 0)
  }

  @Test func `unregistering detaches everywhere, and that it is over comes last`() throws {
    let model = try NetworkModel()
    let probe = SocketProbe(handle: 1)
    #expect(probe.register(model.stack, .datagram) == 0)
    let sockets = try (0..<3).map { _ in try model.stack.socket(.datagram) }
    #expect(attached(probe) == 3)
    #expect(probe.unregister(model.stack) == 0)
    #expect(attached(probe) == 0)
    #expect(probe.order.last == Int32(PROBE_UNREGISTERED))
    #expect(probe.count(Int(PROBE_UNREGISTERED)) == 1)
    #expect(sockets.map(\.filters) == [1, 1, 1], "Kemon's is still there")
    try model.stack.bind(sockets[0], to: end("127.0.0.1:5000"))
    #expect(probe.count(Int(PROBE_BIND)) == 0)
  }

  @Test func `a filter that is inside a call is detached when the call has returned`() throws {
    let model = try NetworkModel()
    let (entered, leave) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let probe = SocketProbe(handle: 1) { callback in
      guard callback == Int32(PROBE_BIND) else { return }
      entered.signal()
      leave.wait()
    }
    #expect(probe.register(model.stack, .datagram) == 0)
    let stack = model.stack
    let socket = try stack.socket(.datagram)
    let caller = WorkerThread(named: "bind") {
      try? stack.bind(socket, to: end("127.0.0.1:5000"))
    }
    entered.wait()
    #expect(probe.unregister(stack) == 0)
    #expect(probe.count(Int(PROBE_DETACH)) == 0)
    #expect(probe.count(Int(PROBE_UNREGISTERED)) == 0)
    leave.signal()
    caller.join()
    #expect(
      probe.order.suffix(3) == [Int32(PROBE_BIND), Int32(PROBE_DETACH), Int32(PROBE_UNREGISTERED)])
    #expect(socket.local == end("127.0.0.1:5000"))
  }

  @Test func `an extended registration meets the sockets that are there`() throws {
    let model = try NetworkModel()
    let stack = model.stack
    let listener = try stack.socket(.stream)
    try stack.bind(listener, to: end("127.0.0.1:8080"))
    try stack.listen(listener)
    let client = try stack.socket(.stream)
    try stack.connect(client, to: end("127.0.0.1:8080"))
    let plain = SocketProbe(handle: 1)
    #expect(plain.register(stack, .stream) == 0)
    #expect(attached(plain) == 0)
    let extended = SocketProbe(handle: 2)
    let flags = SFLT_GLOBAL | SFLT_EXTENDED | SFLT_EXTENDED_REGISTRY
    #expect(extended.register(stack, .stream, flags: flags) == 0)
    #expect(attached(extended) == 3)
    #expect(
      extended.events == [Int32(sock_evt_connected), Int32(sock_evt_connected)],
      "the listener has nothing to tell")
    for probe in [plain, extended] { #expect(probe.unregister(stack) == 0) }
  }

  @Test func `a filter that is not extended is not asked about accept`() throws {
    let model = try NetworkModel()
    let stack = model.stack
    let probe = SocketProbe(handle: 1)
    #expect(probe.register(stack, .stream, flags: SFLT_GLOBAL) == 0)
    probe.answer(Int32(PROBE_ACCEPT), 1)
    let listener = try stack.socket(.stream)
    try stack.bind(listener, to: end("127.0.0.1:8080"))
    try stack.listen(listener)
    try stack.connect(try stack.socket(.stream), to: end("127.0.0.1:8080"))
    _ = try stack.accept(listener)
    #expect(probe.count(Int(PROBE_ACCEPT)) == 0)
    #expect(probe.unregister(stack) == 0)
  }

  @Test func `a programmatic filter is attached and detached by hand`() throws {
    let model = try NetworkModel()
    let probe = SocketProbe(handle: 1)
    #expect(probe.register(model.stack, .datagram, flags: SFLT_PROG) == 0)
    let socket = try model.stack.socket(.datagram)
    #expect(attached(probe) == 0)
    try socket.withHandle { handle in
      #expect(sflt_attach(handle, 2) == KERNEL_ENOENT)
      #expect(sflt_attach(handle, 1) == 0)
      #expect(attached(probe) == 1)
      #expect(sflt_detach(handle, 1) == 0)
      #expect(sflt_detach(handle, 1) == KERNEL_ENOENT)
    }
    #expect(attached(probe) == 0)
    #expect(probe.unregister(model.stack) == 0)
  }

  @Test func `filters come and go while eight threads send`() throws {
    let model = try NetworkModel()
    let stack = model.stack
    let isOver = Atomic<Bool>(false)
    let receiver = try stack.socket(.datagram)
    try stack.bind(receiver, to: end("127.0.0.1:5000"))
    let threads = (0..<8).map { _ in
      WorkerThread(named: "sender") {
        while !isOver.load(ordering: .acquiring) {
          guard let socket = try? stack.socket(.datagram) else { continue }
          for _ in 0..<4 { try? stack.send("x", on: socket, to: end("127.0.0.1:5000")) }
          _ = try? stack.receive(receiver)
          try? stack.close(socket)
        }
      }
    }
    let probe = SocketProbe(handle: 1)
    for round in 0..<200 {
      let flags = SFLT_GLOBAL | (round % 2 == 0 ? SFLT_EXTENDED_REGISTRY : 0)
      #expect(probe.register(stack, .datagram, flags: flags) == 0)
      #expect(probe.unregister(stack) == 0)
    }
    isOver.store(true, ordering: .releasing)
    for thread in threads { thread.join() }
    #expect(attached(probe) == 0)
    #expect(probe.count(Int(PROBE_UNREGISTERED)) == 200)
    try stack.close(receiver)
    #expect(kernel_network_references(stack.network) == 1)
  }
}
