// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Synchronization

/// A random number generator whose sequence is the same everywhere.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A number that several threads count.
final class Counter: Sendable {
  private let count = Atomic<Int>(0)
  var value: Int { count.load(ordering: .sequentiallyConsistent) }
  func add(_ amount: Int) { count.wrappingAdd(amount, ordering: .sequentiallyConsistent) }
}

/// A sealed open of a path by a process.
func makeOpen(
  _ path: String, pid: Int32 = 100, ppid: Int32 = 1, uid: UInt32 = 501,
  kind: Int = Int(KEMON_KIND_FILE_OPEN_PRE), _ builder: inout RecordBuilder
) {
  builder.begin(EventKind(kind))
  builder.header.pointee.subject.pid = pid
  builder.header.pointee.subject.ppid = ppid
  builder.header.pointee.subject.uid = uid
  builder.header.pointee.subject.comm = builder.text("cat")
  builder.setPayload(
    kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text(path)))
  builder.seal()
}

/// A C handler's context that answers what it is told and counts its calls.
final class Voter: @unchecked Sendable {
  let action: VerdictAction
  let error: Int32
  let status: kemon_status
  let reason: String
  let calls = Counter()

  init(_ action: VerdictAction, error: Int32 = 0, status: kemon_status = 0, reason: String = "") {
    self.action = action
    self.error = error
    self.status = status
    self.reason = reason
  }

  static let function: kemon_handler_fn = { context, _, verdict in
    guard let context, let verdict else { return -1 }
    let voter = Unmanaged<Voter>.fromOpaque(context).takeUnretainedValue()
    voter.calls.add(1)
    kemon_say(verdict, voter.action.rawValue, voter.error, 0, voter.reason)
    return voter.status
  }

  func handler(
    _ name: String, plugin: UInt32 = 1, kinds: [Int] = [Int(KEMON_KIND_FILE_OPEN_PRE)],
    filter: EventFilter? = nil, tier: VerdictTier = .enforce, priority: Int32 = 0,
    onFault: VerdictAction = .abstain, isStandIn: Bool = false
  ) -> Handler {
    Handler(
      name: name, pluginID: plugin, pluginName: "plugin-\(plugin)",
      kinds: kinds.map(EventKind.init),
      filter: filter, tier: tier, priority: priority, onFault: onFault, isStandIn: isStandIn,
      function: Self.function, context: Unmanaged.passUnretained(self).toOpaque())
  }
}
