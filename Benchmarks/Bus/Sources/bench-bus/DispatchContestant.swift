// SPDX-License-Identifier: Apache-2.0

internal import CBench
internal import KemonBus
internal import KemonEvents

/// Handlers called with an event: by the dispatcher of ours, or by a loop over a bare array of function pointers.
///
/// All make the record by copying it and publish it afterwards. The dispatcher reads every answer and keeps every vote
/// in the record; the bare array looks at no answer; between them is an array whose loop does both.
struct DispatchContestant: Contestant {
  enum Way { case dispatcher, array, arrayKeepingVotes }

  let way: Way
  var isOurs: Bool { way == .dispatcher }
  /// Whether the published record says who was asked and what everyone answered.
  var keepsVotes: Bool { way != .array }
  var name: String {
    switch way {
    case .dispatcher: "Dispatcher"
    case .array: "function pointers"
    case .arrayKeepingVotes: "pointers, votes kept"
    }
  }

  static func all() -> [DispatchContestant] {
    [.dispatcher, .array, .arrayKeepingVotes].map { DispatchContestant(way: $0) }
  }

  func takesPart(in workload: Workload) -> Bool {
    if case .dispatch = workload.topology { return true }
    return false
  }

  func run(_ workload: Workload) throws(RoundError) -> Figure {
    guard case .dispatch(let handlers) = workload.topology else {
      throw RoundError(description: "\(name) takes no part in \(workload.name)")
    }
    return DispatchRound(handlers: handlers, events: workload.events).run(workload, through: way)
  }
}

/// One round of calls.
private final class DispatchRound {
  private let ring = EventRing(slots: 4096)
  private let dispatcher: Dispatcher
  private let functions: UnsafeMutableBufferPointer<kemon_handler_fn>
  private let counters: UnsafeMutableBufferPointer<UInt64>
  private let votes: UnsafeMutablePointer<kemon_vote>
  private let events: Int

  init(handlers: Int, events: Int) {
    self.events = events
    dispatcher = Dispatcher(ring: ring)
    functions = .allocate(capacity: handlers)
    functions.initialize(repeating: countingHandler)
    counters = .allocate(capacity: handlers * 16)
    counters.initialize(repeating: 0)
    votes = .allocate(capacity: handlers)
  }

  deinit {
    functions.deallocate()
    counters.deallocate()
    votes.deallocate()
  }

  func run(_ workload: Workload, through way: DispatchContestant.Way) -> Figure {
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
    case .arrayKeepingVotes:
      var answer = kemon_verdict()
      answer.size = UInt32(MemoryLayout<kemon_verdict>.size)
      for _ in 0..<events {
        builder.begin(copying: record)
        builder.header.pointee.verdict = ask(builder.view.event, &answer)
        builder.append(ready: votes, count: functions.count)
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

  /// As ``call(_:_:)``, with a vote for each answer; the strongest action.
  @inline(__always)
  private func ask(
    _ event: UnsafePointer<kemon_event>, _ answer: inout kemon_verdict
  ) -> UInt16 {
    var strongest: UInt16 = 0
    guard let base = counters.baseAddress else { return strongest }
    for index in 0..<functions.count {
      answer.action = UInt16(KEMON_ABSTAIN)
      answer.flags = 0
      answer.err = 0
      answer.reason_code = 0
      answer.allow_mask = .max
      answer.reason.0 = 0
      let status = functions[index](base + index * 16, event, &answer)
      let action = status < 0 ? UInt16(KEMON_ABSTAIN) : answer.action
      strongest = max(strongest, action)
      votes[index] = kemon_vote(
        plugin_id: UInt32(index + 1), handler_id: UInt32(index + 1), action: action,
        tier: UInt16(KEMON_TIER_ENFORCE), err: answer.err, reason_code: answer.reason_code,
        latency_ns: 0, reason: kemon_str())
    }
    return strongest
  }
}

/// What a handler does at least.
private let countingHandler: kemon_handler_fn = { context, _, _ in
  if let context { context.assumingMemoryBound(to: UInt64.self).pointee &+= 1 }
  return 0
}
