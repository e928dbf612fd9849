// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// One handler of one kind, as the hot path reads it: no reference to count.
struct HandlerEntry {
  var function: kemon_handler_fn
  var context: UnsafeMutableRawPointer?
  var filter: FilterProgram?
  var counters: HandlerCounters
  var pluginID: UInt32
  var handlerID: UInt32
  var tier: VerdictTier
  var priority: Int32
  var onFault: VerdictAction
  var cache = CacheDeclaration.none
}

/// The handlers of one kind in the order of their calls.
struct HandlerRow {
  var entries: UnsafeBufferPointer<HandlerEntry>
  /// What the answer of all of them together depends on; nil when it cannot be cached.
  var cache: CacheDeclaration?
  /// Denials count.
  var canDeny: Bool

  static var empty: HandlerRow {
    HandlerRow(entries: UnsafeBufferPointer(start: nil, count: 0), cache: nil, canDeny: false)
  }
}

/// The handlers of every kind, in memory that never changes: a dispatcher replaces the whole table.
struct HandlerTable {
  private let rows: UnsafeMutablePointer<HandlerRow>

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
      let canDeny = EventKind(rawValue: UInt16(number)).info?.canDeny ?? false
      (rows + number)
        .initialize(
          to: HandlerRow(
            entries: UnsafeBufferPointer(row),
            cache: canDeny ? CacheDeclaration.union(of: list) : nil, canDeny: canDeny))
    }
  }

  init(address: UInt) {
    guard let rows = UnsafeMutablePointer<HandlerRow>(bitPattern: address) else {
      preconditionFailure("a handler table has an address")
    }
    self.rows = rows
  }

  /// What an atomic word holds.
  var address: UInt { UInt(bitPattern: rows) }

  @inline(__always)
  func row(_ kind: EventKind) -> HandlerRow {
    let number = Int(kind.rawValue)
    return number < EventKind.limit ? rows[number] : .empty
  }

  func deallocate() {
    for number in 0..<EventKind.limit { rows[number].entries.deallocate() }
    rows.deallocate()
  }
}
