// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents
internal import KemonPlatform
internal import Synchronization

/// Why an answer is not wanted any more.
public enum CancelReason: Int32, Sendable {
  /// Another handler has denied the operation.
  case denied = 1
  /// The time is over.
  case timeout = 2
  /// The plugin is being stopped.
  case stop = 3
  /// The handler's vote does not count.
  case unused = 4
}

/// Who opens tickets: a plugin, and unlike its number in records, that of no other host of the process.
public struct TicketOwner: Hashable, Sendable {
  private static let last = Atomic<UInt64>(0)

  /// The id that records carry.
  public let pluginID: UInt32
  private let number: UInt64

  /// Makes an owner without tickets.
  public init(pluginID: UInt32) {
    self.pluginID = pluginID
    number = Self.last.wrappingAdd(1, ordering: .relaxed).newValue
  }
}

// Unchecked: what becomes of it is decided once, by an atomic exchange; the context belongs to the plugin.
/// The promise of a vote that comes later.
///
/// Of those who would resolve it, let it time out, or cancel it, exactly one succeeds.
final class Ticket: @unchecked Sendable {
  let id: UInt64
  let owner: TicketOwner
  /// When it was opened and when its time is over, by ``EventClock/monotonic()``.
  let openedAt: UInt64
  let deadline: UInt64
  /// The vote when nobody gives one.
  let onTimeout: VerdictAction
  private let cancel: kemon_cancel_fn?
  private let context: UnsafeMutableRawPointer?

  /// 0 while it is open; the reason when it was cancelled; else the address of the verdict.
  private let outcome = Atomic<UInt>(0)
  /// The address of the bell that a waiting thread listens to, which is retained; 0 while nobody waits.
  private let bell = Atomic<UInt>(0)
  private let isClaimed = Atomic<Bool>(false)

  /// Addresses are larger than any reason.
  private static let firstAddress: UInt = 16

  init(
    id: UInt64, owner: TicketOwner, timeout: UInt64, onTimeout: VerdictAction,
    cancel: kemon_cancel_fn?, context: UnsafeMutableRawPointer?
  ) {
    self.id = id
    self.owner = owner
    self.onTimeout = onTimeout
    self.cancel = cancel
    self.context = context
    openedAt = EventClock.monotonic()
    deadline = openedAt &+ timeout
  }

  deinit {
    verdict?.deallocate()
    if let bell = UnsafeRawPointer(bitPattern: bell.load(ordering: .acquiring)) {
      Unmanaged<FutexWord>.fromOpaque(bell).release()
    }
  }

  /// Whether nothing has become of it yet.
  var isOpen: Bool { outcome.load(ordering: .acquiring) == 0 }

  /// The vote that was given; nil when there is none.
  ///
  /// Lives as long as the ticket.
  var verdict: UnsafeMutablePointer<kemon_verdict>? {
    let word = outcome.load(ordering: .acquiring)
    return word >= Self.firstAddress ? UnsafeMutablePointer(bitPattern: word) : nil
  }

  /// Why it was cancelled; nil when it was not.
  var cancelReason: CancelReason? {
    let word = outcome.load(ordering: .acquiring)
    return word < Self.firstAddress ? CancelReason(rawValue: Int32(word)) : nil
  }

  /// Takes it for a vote; only the first succeeds.
  func claim() -> Bool {
    isClaimed.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing)
      .exchanged
  }

  /// Gives the vote; false when it came to something else already.
  func resolve(_ verdict: kemon_verdict) -> Bool {
    let copy = UnsafeMutablePointer<kemon_verdict>.allocate(capacity: 1)
    copy.initialize(to: verdict)
    guard decide(UInt(bitPattern: copy)) else {
      copy.deallocate()
      return false
    }
    return true
  }

  /// Ends it without a vote and tells who was to give one; false when it came to something else already.
  func close(_ reason: CancelReason) -> Bool {
    guard decide(UInt(reason.rawValue)) else { return false }
    if let cancel {
      HandlerCrumb.current.during("cancel", ofPlugin: owner.pluginID) {
        cancel(context, id, reason.rawValue)
      }
    }
    return true
  }

  private func decide(_ word: UInt) -> Bool {
    guard
      outcome.compareExchange(expected: 0, desired: word, ordering: .sequentiallyConsistent)
        .exchanged
    else { return false }
    // Who begins to listen looks at the outcome afterwards: one of both sees the other.
    if let bell = UnsafeRawPointer(bitPattern: bell.load(ordering: .sequentiallyConsistent)) {
      Unmanaged<FutexWord>.fromOpaque(bell)._withUnsafeGuaranteedRef { $0.signal() }
    }
    return true
  }

  /// Has a bell rung when it is decided from now on; once, by who has claimed it.
  func ring(_ bell: FutexWord) {
    let retained = Unmanaged.passRetained(bell).toOpaque()
    self.bell.store(UInt(bitPattern: retained), ordering: .sequentiallyConsistent)
  }
}
