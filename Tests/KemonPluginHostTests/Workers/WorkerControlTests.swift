// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import Glibc
import KemonBus
import KemonTestSupport
import Testing

@testable import KemonPluginHost

/// Both ends of a control socket, with nobody's process in between.
@Suite struct WorkerControlTests {
  private let pair: (near: OwnedDescriptor, far: OwnedDescriptor)
  private let host: WorkerControl
  private let worker: WorkerControl

  init() throws {
    let sockets = try DescriptorPair.sockets(SOCK_STREAM)
    pair = (sockets.near, sockets.far)
    host = WorkerControl(descriptor: sockets.near.number)
    worker = WorkerControl(descriptor: sockets.far.number)
  }

  @Test func `a late answer is not taken for the one to the next request`() throws {
    #expect(throws: WorkerFailure.self) { try host.ask([(.save, [])], deadline: 0) }
    // Until it has come, nothing else is asked.
    #expect(throws: WorkerFailure.self) { try host.ask([(.save, [])], deadline: 0) }
    #expect(try worker.receive(deadline: .max)?.type == .save)
    try worker.send(.saved, [1], deadline: .max)
    try worker.send(.stopped, [2], deadline: .max)
    let answer = try host.ask([(.stop, [])], deadline: .max)
    #expect(answer?.type == .stopped && answer?.body == [2])
    #expect(try worker.receive(deadline: .max)?.type == .stop)
  }

  @Test func `who does not read holds nobody up, and finds whole frames when it does`() throws {
    let state = [UInt8](repeating: 7, count: 4 << 20)
    #expect(throws: WorkerFailure.self) {
      try host.ask([(.state, state), (.hello, [1])], deadline: 0)
    }
    let reader = Unchecked(worker)
    let wasWhole = Flag()
    let thread = WorkerThread(named: "reader") {
      let worker = reader.value
      guard let first = try? worker.receive(deadline: .max), first.type == .state,
        first.body == state, let second = try? worker.receive(deadline: .max),
        second.type == .hello, second.body == [1]
      else { return }
      wasWhole.set()
      try? worker.send(.created, [], deadline: .max)
      _ = try? worker.receive(deadline: .max)
      try? worker.send(.started, [], deadline: .max)
    }
    #expect(try host.ask([(.start, [])], deadline: .max)?.type == .started)
    thread.join()
    #expect(wasWhole.isSet)
  }

  @Test func `a frame that comes in two pieces is one`() throws {
    let bytes: [UInt8] = [3, 0, 0, 0, 103, 0, 0, 0, 1, 2, 3]
    #expect(write(pair.far.number, Array(bytes[..<5]), 5) == 5)
    #expect(throws: WorkerFailure.self) { try host.receive(deadline: 0) }
    #expect(write(pair.far.number, Array(bytes[5...]), 6) == 6)
    #expect(try host.receive(deadline: .max)?.body == [1, 2, 3])
  }

  @Test func `a state that no frame can hold is refused, and nothing of it is sent`() throws {
    let state = [UInt8](repeating: 0, count: WorkerControl.limit + 1)
    #expect(throws: WorkerFailure.self) {
      try host.ask([(.state, [1]), (.state, state)], deadline: .max)
    }
    try host.send(.save, [], deadline: .max)
    #expect(try worker.receive(deadline: .max)?.type == .save)
  }

  /// The reader's thread alone uses it while it runs.
  private struct Unchecked<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }
}
