// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Synchronization

/// A plugin that says no, or something else, to some of everything; it comes and goes.
enum StressPlugin {
  /// Its handlers, which keep nothing: any number of them may be there at once.
  static var handlers: [Handler] {
    let kinds = EventKind.allKinds.filter { $0.info?.canDeny == true }
    return [
      handler("deny", kinds) { _, event, verdict in
        guard let event, let verdict else { return KEMON_E_INVALID }
        let record = RecordView(trusted: event)
        guard StressPlugin.isChosen(record, 16) else { return KEMON_OK }
        return kemon_deny(verdict, 13, "one of sixteen")
      },
      handler(
        "replace",
        [
          KEMON_KIND_FILE_OPEN, KEMON_KIND_FILE_RENAME, KEMON_KIND_FILE_DELETE,
          KEMON_KIND_NET_CONNECT, KEMON_KIND_KEXT_START, KEMON_KIND_KEXT_STOP,
        ].map { EventKind($0) }
      ) { _, event, verdict in
        guard let event, let verdict else { return KEMON_E_INVALID }
        guard StressPlugin.isChosen(RecordView(trusted: event), 32) else { return KEMON_OK }
        return kemon_replace_result(verdict, 5, "one of thirty-two")
      },
    ]
  }

  /// Chooses by number and time, so that nothing has to be kept.
  private static func isChosen(_ record: RecordView, _ one: UInt64) -> Bool {
    let event = record.event.pointee
    return ((event.corr ^ event.time_ns) &* 0x9E37_79B9_7F4A_7C15) >> 32 % one == 0
  }

  private static func handler(
    _ name: String, _ kinds: [EventKind], _ function: @escaping kemon_handler_fn
  ) -> Handler {
    Handler(name: name, pluginID: 7, pluginName: "stress", kinds: kinds, function: function)
  }
}

/// A plugin that is there all the time and counts what it is told.
final class StressCounts: Sendable {
  private let table: [Row] = (0..<EventKind.limit).map { _ in Row() }

  /// One kind.
  private final class Row: Sendable {
    let done = Atomic<Int>(0)
    let failed = Atomic<Int>(0)
  }

  var handler: Handler {
    Handler(
      name: "count", pluginID: 8, pluginName: "counts", kinds: EventKind.allKinds, priority: -1,
      function: { context, event, _ in
        guard let context, let event else { return KEMON_E_INVALID }
        return Unmanaged<StressCounts>.fromOpaque(context)._withUnsafeGuaranteedRef { counts in
          let row = counts.table[Int(event.pointee.kind)]
          let count = event.pointee.result == 0 ? 0 : 1
          if count == 0 {
            row.done.wrappingAdd(1, ordering: .relaxed)
          } else {
            row.failed.wrappingAdd(1, ordering: .relaxed)
          }
          return KEMON_OK
        }
      }, context: Unmanaged.passUnretained(self).toOpaque())
  }

  /// How many came with success, of all these kinds.
  func done(_ kinds: Int...) -> Int {
    kinds.reduce(0) { $0 + table[$1].done.load(ordering: .relaxed) }
  }

  /// How many came.
  func all(_ kind: EventKind) -> Int {
    let row = table[Int(kind.rawValue)]
    return row.done.load(ordering: .relaxed) + row.failed.load(ordering: .relaxed)
  }

  var total: Int { EventKind.allKinds.reduce(0) { $0 + all($1) } }
}
