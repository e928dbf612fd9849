// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import Synchronization

@testable import KemonPluginHost

/// A handler whose body is a closure, and what it was called with.
final class Script: @unchecked Sendable {
  typealias Body =
    @Sendable (UnsafePointer<kemon_event>, UnsafeMutablePointer<kemon_verdict>) -> kemon_status

  private let body: Body
  private let callCount = Atomic<Int>(0)
  private let inside = Atomic<Int>(0)
  private let most = Atomic<Int>(0)

  init(_ body: @escaping Body) { self.body = body }

  /// How often it was called.
  var calls: Int { callCount.load(ordering: .acquiring) }
  /// In how many calls it was at the same time, at most.
  var mostInside: Int { most.load(ordering: .acquiring) }

  static let function: kemon_handler_fn = { context, event, verdict in
    guard let context, let event, let verdict else { return KEMON_E_INVALID }
    let script = Unmanaged<Script>.fromOpaque(context).takeUnretainedValue()
    script.callCount.wrappingAdd(1, ordering: .acquiringAndReleasing)
    let inside = script.inside.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue
    script.most.max(inside, ordering: .acquiringAndReleasing)
    defer { script.inside.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
    return script.body(event, verdict)
  }

  /// What ``function`` needs; the script is kept for ever, as a late call may still be in it.
  var context: UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }
}

/// Makes limited calls of scripts, and calls them with an event.
final class LimitBench: Sendable {
  let lanes = LanePool()
  let clock = EventClock()
  let standing: HandlerStanding

  init() { standing = HandlerStanding() }

  func call(_ script: Script, budget: UInt64, gate: TurnGate? = nil) -> LimitedCall {
    LimitedCall(
      Script.function, script.context, budget: budget, gate: gate, lanes: lanes, clock: clock,
      standing: standing)
  }
}

/// An event and an answer of the calling thread's own.
struct Question: ~Copyable {
  var builder = RecordBuilder()
  var verdict = kemon_verdict()

  init(path: String = "/etc/hosts", pid: Int32 = 100) {
    verdict.size = UInt32(MemoryLayout<kemon_verdict>.size)
    ask(about: path, pid: pid)
  }

  mutating func ask(about path: String, pid: Int32 = 100) {
    builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
    builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text(path)))
    builder.header.pointee.subject.pid = pid
    builder.seal()
  }

  mutating func put(to call: LimitedCall) -> kemon_status { call.call(builder.header, &verdict) }

  /// The path of an event of ``ask(about:pid:)``.
  static func path(of event: UnsafePointer<kemon_event>) -> String {
    let record = RecordView(trusted: event)
    return record.payload(as: kemon_file.self).map { record.text($0.path) } ?? ""
  }
}
