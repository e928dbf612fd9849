// SPDX-License-Identifier: Apache-2.0

import CKemonPlugin.Worker
import KemonEvents

/// What a worker is at: a handler and the event that it was given.
struct WorkerActivity: CustomStringConvertible {
  let handler: UInt32
  let kind: EventKind
  let corr: UInt64
  let pid: Int32

  init(_ handler: UInt32, _ event: kemon_event) {
    self.handler = handler
    kind = EventKind(rawValue: event.kind)
    corr = event.corr
    pid = event.subject.pid
  }

  /// Reads a request as it lies in a ring; nil when the worker has not begun with it.
  init?(_ bytes: UnsafeRawBufferPointer) {
    let event = RingLane.head
    guard bytes.count >= event + MemoryLayout<kemon_event>.size else { return nil }
    let request = bytes.loadUnaligned(as: kemon_worker_request.self)
    guard request.number != 0 else { return nil }
    self.init(
      request.handler, bytes.loadUnaligned(fromByteOffset: event, as: kemon_event.self))
  }

  /// The event, for people.
  var description: String {
    let name = kind.info.map { "\($0.name) (\($0.phase.name))" } ?? "kind \(kind.rawValue)"
    return "\(name) of process \(pid)" + (corr == 0 ? "" : ", operation \(corr)")
  }
}
