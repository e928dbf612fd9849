// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents
internal import Synchronization

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

/// What is needed to call a handler, and nothing else: four of them in a cache line.
struct HandlerCall {
  let function: kemon_handler_fn
  let context: UnsafeMutableRawPointer?
}

/// The handlers of one kind in the order of their calls.
struct HandlerRow {
  let calls: UnsafePointer<HandlerCall>
  let entries: UnsafePointer<HandlerEntry>
  let count: Int
  /// How many events were shown to the row, by thread: each handler was called for them but where its filter said no.
  let asked: HandlerCounters
  /// Denials count.
  let canDeny: Bool
  /// No filter, no denial: every handler is called, and most will have nothing to say.
  let isPlain: Bool
  /// What the answer of all of them together depends on; nil when it cannot be cached.
  let cache: CacheDeclaration?

  /// Sorts entries by tier, priority and id.
  init(_ list: [HandlerEntry], canDeny: Bool) {
    let entries = UnsafeMutablePointer<HandlerEntry>.allocate(capacity: list.count)
    let calls = UnsafeMutablePointer<HandlerCall>.allocate(capacity: list.count)
    let sorted = list.sorted {
      ($0.tier.rawValue, $0.priority, $0.handlerID) < ($1.tier.rawValue, $1.priority, $1.handlerID)
    }
    for (index, entry) in sorted.enumerated() {
      (entries + index).initialize(to: entry)
      (calls + index).initialize(
        to: HandlerCall(function: entry.function, context: entry.context))
    }
    self.entries = UnsafePointer(entries)
    self.calls = UnsafePointer(calls)
    count = list.count
    asked = HandlerCounters.allocate()
    self.canDeny = canDeny
    isPlain = !canDeny && list.allSatisfy { $0.filter == nil }
    cache = canDeny ? CacheDeclaration.union(of: list) : nil
  }

  func deallocate() {
    entries.deallocate()
    calls.deallocate()
    asked.deallocate()
  }
}

/// The handlers of every kind, in memory that never changes: a dispatcher replaces the whole table.
struct HandlerTable {
  /// A row for each kind; nil where nobody wants to know.
  private let rows: UnsafeMutablePointer<UnsafeMutablePointer<HandlerRow>?>

  /// Builds a table.
  init(_ handlers: [(kinds: [EventKind], entry: HandlerEntry)]) {
    rows = .allocate(capacity: EventKind.limit)
    rows.initialize(repeating: nil, count: EventKind.limit)
    var lists: [Int: [HandlerEntry]] = [:]
    for handler in handlers {
      for kind in Set(handler.kinds) where Int(kind.rawValue) < EventKind.limit {
        lists[Int(kind.rawValue), default: []].append(handler.entry)
      }
    }
    for (number, list) in lists {
      let canDeny = EventKind(rawValue: UInt16(number)).info?.canDeny ?? false
      let row = UnsafeMutablePointer<HandlerRow>.allocate(capacity: 1)
      row.initialize(to: HandlerRow(list, canDeny: canDeny))
      rows[number] = row
    }
  }

  init(address: UInt) {
    guard let rows = UnsafeMutablePointer<UnsafeMutablePointer<HandlerRow>?>(bitPattern: address)
    else { preconditionFailure("a handler table has an address") }
    self.rows = rows
  }

  /// What an atomic word holds.
  var address: UInt { UInt(bitPattern: rows) }

  @inline(__always)
  func row(_ kind: EventKind) -> UnsafeMutablePointer<HandlerRow>? {
    let number = Int(kind.rawValue)
    return number < EventKind.limit ? rows[number] : nil
  }

  /// How many events were shown to a handler, its filter not yet asked.
  func asked(_ handlerID: UInt32) -> UInt64 {
    var sum: UInt64 = 0
    for number in 0..<EventKind.limit {
      guard let row = rows[number]?.pointee else { continue }
      for index in 0..<row.count where row.entries[index].handlerID == handlerID {
        sum &+= row.asked.total(.calls)
      }
    }
    return sum
  }

  func deallocate() {
    for number in 0..<EventKind.limit {
      rows[number]?.pointee.deallocate()
      rows[number]?.deallocate()
    }
    rows.deallocate()
  }
}
