// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents
internal import Synchronization

/// What a handler's calls are counted in; written by every thread that dispatches.
struct HandlerCounters: ~Copyable {
  let calls = Atomic<UInt64>(0)
  let filtered = Atomic<UInt64>(0)
  let denies = Atomic<UInt64>(0)
  let wouldDenies = Atomic<UInt64>(0)
  let faults = Atomic<UInt64>(0)
  let timedCalls = Atomic<UInt64>(0)
  let timedNanoseconds = Atomic<UInt64>(0)
}

/// One handler of one kind, as the hot path reads it: no reference to count.
struct HandlerEntry {
  var function: kemon_handler_fn
  var context: UnsafeMutableRawPointer?
  var filter: FilterProgram?
  var counters: UnsafeMutablePointer<HandlerCounters>
  var pluginID: UInt32
  var handlerID: UInt32
  var tier: VerdictTier
  var priority: Int32
  var onFault: VerdictAction
}

/// The handlers of every kind in the order of their calls, in memory that never changes: a dispatcher replaces the
/// whole table.
struct HandlerTable {
  private let rows: UnsafeMutablePointer<UnsafeBufferPointer<HandlerEntry>>

  /// Builds a table; entries are sorted by tier, priority and id.
  init(_ handlers: [(kinds: [EventKind], entry: HandlerEntry)]) {
    rows = .allocate(capacity: EventKind.limit)
    var lists = [[HandlerEntry]](repeating: [], count: EventKind.limit)
    for handler in handlers {
      for kind in Set(handler.kinds) where Int(kind.rawValue) < EventKind.limit {
        lists[Int(kind.rawValue)].append(handler.entry)
      }
    }
    for (number, list) in lists.enumerated() {
      let row = UnsafeMutableBufferPointer<HandlerEntry>.allocate(capacity: list.count)
      _ = row.initialize(
        from: list.sorted {
          ($0.tier.rawValue, $0.priority, $0.handlerID)
            < ($1.tier.rawValue, $1.priority, $1.handlerID)
        })
      (rows + number).initialize(to: UnsafeBufferPointer(row))
    }
  }

  init(address: UInt) {
    guard let rows = UnsafeMutablePointer<UnsafeBufferPointer<HandlerEntry>>(bitPattern: address)
    else { preconditionFailure("a handler table has an address") }
    self.rows = rows
  }

  /// What an atomic word holds.
  var address: UInt { UInt(bitPattern: rows) }

  func row(_ kind: EventKind) -> UnsafeBufferPointer<HandlerEntry> {
    let number = Int(kind.rawValue)
    return number < EventKind.limit ? rows[number] : UnsafeBufferPointer(start: nil, count: 0)
  }

  func deallocate() {
    for number in 0..<EventKind.limit { rows[number].deallocate() }
    rows.deallocate()
  }
}
