// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import CKemonPlugin.Worker
import KemonBus
import KemonEvents
import Synchronization

/// The handlers of a worker's plugin by their numbers, in memory that never changes.
final class HandlerCalls: Sendable {
  struct Call: @unchecked Sendable {
    let function: kemon_handler_fn
    let context: UnsafeMutableRawPointer?
  }

  private let calls: [Call?]

  init(_ requests: [HandlerRequest]) {
    var calls: [Call?] = []
    for request in requests {
      let index = Int(request.token)
      while calls.count <= index { calls.append(nil) }
      calls[index] = Call(function: request.function, context: request.context)
    }
    self.calls = calls
  }

  subscript(_ number: UInt32) -> Call? { number < calls.count ? calls[Int(number)] : nil }
}

/// A thread that takes the host's requests from one ring and calls the handlers.
final class RequestThread: Sendable {
  private let responder: SharedResponder
  private let isFinishing: Flag
  private let thread: WorkerThread

  private final class Flag: Sendable {
    let value = Atomic<Bool>(false)
  }

  init(
    _ ring: SharedRing, named name: String, isObserver: Bool, _ calls: HandlerCalls,
    _ turns: TurnGate?, _ clock: EventClock, _ page: WorkerPage, isReplay: Bool
  ) {
    let responder = SharedResponder(ring)
    let isFinishing = Flag()
    self.responder = responder
    self.isFinishing = isFinishing
    thread = WorkerThread(named: name) {
      if isObserver { ckemon_thread_set_role(UInt32(CKEMON_ROLE_OBSERVER)) }
      while true {
        let taken = responder.serve { bytes in
          if isReplay { clock.set(page.time) }
          return isObserver ? Self.show(bytes, calls, turns) : Self.answer(bytes, calls, turns)
        }
        if taken > 0 { continue }
        // The host sends nothing any more: what is there now is all there is.
        if isFinishing.value.load(ordering: .acquiring), responder.isDrained { return }
        responder.wait(milliseconds: 100)
      }
    }
  }

  /// Returns when everything is answered and the thread has ended.
  func finish() {
    isFinishing.value.store(true, ordering: .sequentiallyConsistent)
    responder.wake()
    thread.join()
  }

  /// Calls a handler, which writes its verdict over the request.
  private static func answer(
    _ bytes: UnsafeMutableRawBufferPointer, _ calls: HandlerCalls, _ turns: TurnGate?
  ) -> UInt32 {
    guard let base = bytes.baseAddress, bytes.count > RingLane.head else {
      return KEMON_WORKER_FAULT
    }
    let request = base.assumingMemoryBound(to: kemon_worker_request.self)
    guard let call = calls[request.pointee.handler] else { return KEMON_WORKER_FAULT }
    let verdict = (base + Int(KEMON_WORKER_VERDICT)).assumingMemoryBound(to: kemon_verdict.self)
    let event = UnsafeRawPointer(base + RingLane.head).assumingMemoryBound(to: kemon_event.self)
    let status = TurnGate.inTurn(turns, event) {
      // Begun: until here it is what it waits for that takes the time.
      request.pointee.number = 1
      return call.function(call.context, event, verdict)
    }
    guard status >= 0 else { return KEMON_WORKER_FAULT }
    let isBlank =
      verdict.pointee.action == UInt16(KEMON_ABSTAIN) && verdict.pointee.flags == 0
      && verdict.pointee.reason_code == 0 && verdict.pointee.reason.0 == 0
    return isBlank ? KEMON_WORKER_BLANK : KEMON_WORKER_WRITTEN
  }

  private static func show(
    _ bytes: UnsafeMutableRawBufferPointer, _ calls: HandlerCalls, _ turns: TurnGate?
  ) -> UInt32 {
    let head = MemoryLayout<kemon_worker_request>.size
    guard let base = bytes.baseAddress, bytes.count > head else { return KEMON_WORKER_FAULT }
    let request = base.load(as: kemon_worker_request.self)
    guard let call = calls[request.handler] else { return KEMON_WORKER_FAULT }
    var verdict = kemon_verdict()
    verdict.size = UInt32(MemoryLayout<kemon_verdict>.size)
    let event = UnsafeRawPointer(base + head).assumingMemoryBound(to: kemon_event.self)
    _ = TurnGate.inTurn(turns, event) { call.function(call.context, event, &verdict) }
    return KEMON_WORKER_BLANK
  }
}
