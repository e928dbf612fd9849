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
  var onTimeout = VerdictAction.abstain
  var isStandIn = false
  var cache = CacheDeclaration.none
  /// The fields that it may change.
  var modifiable: ModifiableFields = []
  /// What it does not want to see; nil when it never mutes anything.
  ///
  /// Kept as the standing is.
  var mutes: Unmanaged<MuteSet>?
  /// Kept by the registry as long as the entry is in a table; nil for those whose votes nobody asks for.
  var standing: Unmanaged<HandlerStanding>?

  /// Whose call it is, for the thread's crumb.
  var owner: UInt64 { HandlerCrumb.owner(plugin: pluginID, handler: handlerID) }

  /// Counts the time of a call, and gives it as votes have it: 1 or more.
  func count(_ nanoseconds: UInt64, on thread: Int) -> UInt32 {
    let latency = UInt32(clamping: max(nanoseconds, 1))
    counters.add(.timedCalls, on: thread)
    counters.add(.timedNanoseconds, UInt64(latency), on: thread)
    return latency
  }

  /// Whether its filter keeps an event away from it, or it has muted it.
  @inline(__always)
  func isKeptAway(_ record: RecordView) -> Bool {
    if let filter, !filter.matches(record) { return true }
    return mutes?._withUnsafeGuaranteedRef { $0.mutes(record) } ?? false
  }

  /// Where its votes stand now: nothing that a handler in quarantine says counts.
  @inline(__always)
  var currentTier: VerdictTier {
    let isQuarantined = standing?._withUnsafeGuaranteedRef { $0.isQuarantined } ?? false
    return isQuarantined ? .observe : tier
  }

  /// An opinion of the handler as records keep it, its reason not yet written.
  func vote(_ opinion: Verdict, _ tier: VerdictTier, latency: UInt32) -> kemon_vote {
    kemon_vote(
      plugin_id: pluginID, handler_id: handlerID, action: opinion.action.rawValue,
      tier: tier.rawValue, err: opinion.error, reason_code: opinion.reasonCode,
      latency_ns: latency, reason: kemon_str())
  }
}

/// What is needed to call a handler, and nothing else: they lie close together.
struct HandlerCall {
  let function: kemon_handler_fn
  let context: UnsafeMutableRawPointer?
  /// For the thread's crumb.
  let owner: UInt64
}

/// The handlers of every kind, in memory that never changes: a dispatcher replaces the whole table.
struct HandlerTable {
  /// A row for each kind; nil where nobody wants to know.
  private let rows: UnsafeMutablePointer<HandlerRow?>

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
      rows[number] = HandlerRow.allocate(list, of: EventKind(rawValue: UInt16(number)))
    }
  }

  init(address: UInt) {
    guard let rows = UnsafeMutablePointer<HandlerRow?>(bitPattern: address) else {
      preconditionFailure("a handler table has an address")
    }
    self.rows = rows
  }

  /// What an atomic word holds.
  var address: UInt { UInt(bitPattern: rows) }

  @inline(__always)
  func row(_ kind: EventKind) -> HandlerRow? {
    let number = Int(kind.rawValue)
    return number < EventKind.limit ? rows[number] : nil
  }

  /// How many events were shown to a handler, its filter not yet asked.
  func asked(_ handlerID: UInt32) -> UInt64 {
    var sum: UInt64 = 0
    for number in 0..<EventKind.limit {
      guard let row = rows[number] else { continue }
      for index in 0..<row.count where row.entries[index].handlerID == handlerID {
        sum &+= row.asked.total(.calls)
      }
    }
    return sum
  }

  func deallocate() {
    for number in 0..<EventKind.limit { rows[number]?.deallocate() }
    rows.deallocate()
  }
}
