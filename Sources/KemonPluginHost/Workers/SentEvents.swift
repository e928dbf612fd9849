// SPDX-License-Identifier: Apache-2.0

/// What was sent to a worker to be observed, and how far it has come.
///
/// An event is sent once for each handler that is to see it; the worker takes what is sent in that order.
struct SentEvents {
  /// How much was taken.
  private(set) var taken: UInt64 = 0
  /// Of what was not: the sequences of the events.
  private var waiting: [UInt64] = []
  /// How many of these are over: an array is not moved for each.
  private var over = 0

  /// Nothing is sent any more.
  var isClosed = false

  /// What nobody will see.
  struct Rest {
    /// How many events.
    var count: UInt64
    /// The sequence of the last one; nil when it is not known.
    var last: UInt64?
  }

  /// What nobody will see when nothing is taken any more.
  var rest: Rest { Rest(count: pending, last: over < waiting.count ? waiting.last : nil) }

  /// The number of what is sent next.
  var next: UInt64 { taken + UInt64(waiting.count - over) + 1 }

  /// Something is sent.
  mutating func add(_ sequence: UInt64) { waiting.append(sequence) }

  /// The worker says that it has taken so much, which need not be true.
  mutating func take(upTo number: UInt64) {
    let count = min(number, next - 1) - min(number, taken)
    taken += count
    over += Int(count)
    guard over > 512 || over == waiting.count else { return }
    waiting.removeFirst(over)
    over = 0
  }

  /// How many events are not taken, or not by all their handlers.
  var pending: UInt64 {
    var count: UInt64 = 0
    for index in over..<waiting.count
    where index == over || waiting[index] != waiting[index - 1] {
      count += 1
    }
    return count
  }
}
