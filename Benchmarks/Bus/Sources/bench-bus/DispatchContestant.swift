// SPDX-License-Identifier: Apache-2.0

internal import CBench
internal import KemonBus
internal import KemonEvents

/// Handlers called with an event: by the dispatcher of ours, or by a loop over a bare array of function pointers.
///
/// Both make the record by copying it and publish it afterwards; the dispatcher also keeps every vote in the record.
struct DispatchContestant: Contestant {
  let isOurs: Bool
  var name: String { isOurs ? "Dispatcher" : "function pointers" }

  static func all() -> [DispatchContestant] {
    [DispatchContestant(isOurs: true), DispatchContestant(isOurs: false)]
  }

  func takesPart(in workload: Workload) -> Bool {
    if case .dispatch = workload.topology { return true }
    return false
  }

  func run(_ workload: Workload) throws(RoundError) -> Figure {
    guard case .dispatch(let handlers) = workload.topology else {
      throw RoundError(description: "\(name) takes no part in \(workload.name)")
    }
    return DispatchRound(handlers: handlers, events: workload.events).run(
      workload, through: isOurs ? .dispatcher : .array)
  }
}

/// One round of calls.
private final class DispatchRound {
  enum Way { case dispatcher, array }

  private let ring = EventRing(slots: 4096)
  private let dispatcher: Dispatcher
  private let functions: UnsafeMutableBufferPointer<kemon_handler_fn>
  private let counters: UnsafeMutableBufferPointer<UInt64>
  private let events: Int

  init(handlers: Int, events: Int) {
    self.events = events
    dispatcher = Dispatcher(ring: ring)
    functions = .allocate(capacity: handlers)
    functions.initialize(repeating: countingHandler)
    counters = .allocate(capacity: handlers * 16)
    counters.initialize(repeating: 0)
  }

  deinit {
    functions.deallocate()
    counters.deallocate()
  }

  func run(_ workload: Workload, through way: Way) -> Figure {
    guard let kind = EventKind.allKinds.first(where: { $0.info?.canDeny == false }) else {
      preconditionFailure("every kind can be denied")
    }
    if way == .dispatcher {
      dispatcher.add(
        functions.indices.map { index in
          Handler(
            name: "counter", pluginID: UInt32(index + 1), pluginName: "bench", kinds: [kind],
            function: functions[index], context: counters.baseAddress.map { $0 + index * 16 })
        })
    }
    var model = RecordBuilder()
    model.begin(kind)
    model.header.pointee.time_ns = 1
    model.seal()
    let record = model.view
    var builder = RecordBuilder()
    let start = bench_ticks()
    switch way {
    case .dispatcher:
      for _ in 0..<events {
        builder.begin(copying: record)
        dispatcher.dispatch(&builder)
      }
    case .array:
      var answer = kemon_verdict()
      for _ in 0..<events {
        builder.begin(copying: record)
        call(builder.view.event, &answer)
        ring.publish(&builder)
      }
    }
    let ticks = bench_ticks() &- start
    return workload.figure(total: Double(ticks) * bench_ns_per_tick(), p50: 0, p99: 0)
  }

  @inline(__always)
  private func call(_ event: UnsafePointer<kemon_event>, _ answer: inout kemon_verdict) {
    guard let base = counters.baseAddress else { return }
    for index in 0..<functions.count {
      answer.action = UInt16(KEMON_ABSTAIN)
      _ = functions[index](base + index * 16, event, &answer)
    }
  }
}

/// What a handler does at least.
private let countingHandler: kemon_handler_fn = { context, _, _ in
  if let context { context.assumingMemoryBound(to: UInt64.self).pointee &+= 1 }
  return 0
}
