// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonPlatform
import Testing

@testable import KemonKernel

/// What MAC policies are asked about sockets, and what their answers do.
@Suite struct SocketPolicyTests {
  private final class Policies: Sendable {
    let denied: SocketPolicies.Operation?
    let asked = PosixLock([SocketPolicies.Operation]())

    init(denied: SocketPolicies.Operation? = nil) { self.denied = denied }

    func network() throws -> NetworkStack {
      let dispatcher = Dispatcher(ring: EventRing())
      return try NetworkStack(
        release: .macOS10_13_6, records: KernelRecords(dispatcher: dispatcher),
        policies: SocketPolicies { operation, _, _, _ in
          self.asked.withLock { $0.append(operation) }
          return operation == self.denied ? 13 : 0
        })
    }
  }

  /// Everything that policies are asked about, once; the operation that fails, if one does.
  private func use(_ stack: NetworkStack) throws {
    let listener = try stack.socket(.stream)
    try stack.bind(listener, to: end("127.0.0.1:8080"))
    try stack.listen(listener)
    let client = try stack.socket(.stream)
    try stack.connect(client, to: end("127.0.0.1:8080"))
    _ = try stack.accept(listener)
    let datagram = try stack.socket(.datagram)
    try stack.send("x", on: datagram, to: end("127.0.0.1:9"))
    #expect(throws: SocketError.wouldBlock) { try stack.receive(datagram) }
  }

  @Test func `policies are asked before each call, in the kernel's order`() throws {
    let policies = Policies()
    try use(try policies.network())
    #expect(
      policies.asked.withLock { $0 } == [
        .create, .bind, .listen, .create, .connect, .accept, .accepted, .create, .send, .receive,
      ])
    #expect(SocketPolicies.Operation.accepted.name == "mpo_socket_check_accepted")
  }

  @Test(arguments: [
    SocketPolicies.Operation.create, .bind, .listen, .connect, .accept, .accepted, .send,
  ])
  func `what a policy denies is not done`(operation: SocketPolicies.Operation) throws {
    let policies = Policies(denied: operation)
    let stack = try policies.network()
    #expect(throws: SocketError.accessDenied) { try use(stack) }
    #expect(policies.asked.withLock { $0.last } == operation, "nothing happens behind it")
    switch operation {
    case .create: #expect(stack.sockets.isEmpty)
    case .bind: #expect(stack.sockets.allSatisfy { $0.local == nil })
    case .connect, .listen: #expect(stack.sockets.allSatisfy { $0.remote == nil })
    case .accepted: #expect(stack.sockets.count == 2, "the connection is closed")
    default: break
    }
  }

  @Test func `a policy that denies receiving is heard`() throws {
    let stack = try Policies(denied: .receive).network()
    let socket = try stack.socket(.datagram)
    #expect(throws: SocketError.accessDenied) { try stack.receive(socket) }
  }
}
