// SPDX-License-Identifier: Apache-2.0

/// What waits for one client: bounded, and every message is accounted for.
struct OriginalQueue {
  /// How many messages and bytes may wait for a client.
  struct Limit: Sendable {
    /// The original's limit.
    static let original = Limit(messages: 0x10086, bytes: 64 << 20)

    let messages: Int
    let bytes: Int
  }

  /// What became of a client's messages.
  struct Account: Sendable, Equatable {
    /// Messages that there were since it connected.
    var offered: UInt64 = 0
    /// Those that it was sent.
    var sent: UInt64 = 0
    /// Those that found the queue full, or that were not taken in time.
    var lost: UInt64 = 0
  }

  private let limit: Limit
  // Shared with the other clients' queues.
  private var messages: [[UInt8]] = []
  private var head = 0
  private var bytes = 0
  /// Messages that were lost and not told yet.
  private var untold: UInt64 = 0
  private(set) var account = Account()

  init(_ limit: Limit) { self.limit = limit }

  var isEmpty: Bool { head == messages.count }
  var count: Int { messages.count - head }

  /// Adds a message at the end; when there is no room it is lost.
  mutating func append(_ message: [UInt8], at time: UInt64) {
    account.offered += 1
    guard count < limit.messages, bytes + message.count <= limit.bytes else {
      account.lost += 1
      untold += 1
      return
    }
    if untold > 0 {
      let notice = OriginalMessage(lost: untold, at: time).bytes
      messages.append(notice)
      bytes += notice.count
      untold = 0
    }
    messages.append(message)
    bytes += message.count
  }

  /// Hands over messages, oldest first, until the body refuses one; returns how many were dealt with.
  mutating func drain(limit: Int, _ body: ([UInt8]) -> Delivery) -> Int {
    var taken = 0
    loop: while head < messages.count, taken < limit {
      let message = messages[head]
      let isNotice = OriginalMessage.isLost(message)
      switch body(message) {
      case .taken: if !isNotice { account.sent += 1 }
      case .impossible: if !isNotice { account.lost += 1 }
      case .later: break loop
      }
      bytes -= message.count
      messages[head] = []
      head += 1
      taken += 1
    }
    // What was handed over is let go now and then, so that each message moves at most a few times.
    if head == messages.count || (head > 1024 && head > messages.count / 2) {
      messages.removeFirst(head)
      head = 0
    }
    return taken
  }

  /// What became of one message.
  enum Delivery { case taken, later, impossible }

  /// Gives up what still waits.
  mutating func abandon() {
    for message in messages[head...] where !OriginalMessage.isLost(message) { account.lost += 1 }
    messages = []
    head = 0
    bytes = 0
  }
}

extension OriginalMessage {
  /// Whether bytes are the message that says that others were lost.
  static func isLost(_ message: [UInt8]) -> Bool { message.first == UInt8(lostType) }
}
