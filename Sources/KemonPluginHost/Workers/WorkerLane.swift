// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// What became of a question to a worker.
enum WorkerReply: Equatable {
  /// The handler returned this; the verdict is written.
  case answered(kemon_status)
  /// The time is over, and the worker is still at it; the question's number in its lane.
  case timedOut(UInt64)
  /// The worker did not come to it in time.
  case noTurn
  /// The worker ended while it was at it.
  case died
  /// The worker ended before it came to it.
  case absent
}

/// A way for questions to a worker, and back; any number of threads ask at the same time.
protocol WorkerLane: AnyObject, Sendable {
  /// Asks a handler, and waits for its answer.
  ///
  /// - Parameters:
  ///   - handler: the worker's number for it.
  ///   - verdict: blank; written to when the handler has answered.
  ///   - deadline: of the monotonic clock.
  func ask(
    _ handler: UInt32, _ event: UnsafePointer<kemon_event>,
    _ verdict: UnsafeMutablePointer<kemon_verdict>, deadline: UInt64
  ) -> WorkerReply

  /// The number of the first question that the worker has not finished, as far as is known.
  var next: UInt64 { get }

  /// Whether the worker has finished a question, in time or later; looks, and does not wait.
  func hasFinished(_ number: UInt64) -> Bool

  /// What the worker is at, or was when it ended; nil for nothing.
  var activity: WorkerActivity? { get }
}

/// A way for events that are only observed; one thread sends.
protocol WorkerFeed: AnyObject, Sendable {
  /// Sends an event, when there is room.
  ///
  /// - Returns: false when there is none.
  func send(_ handler: UInt32, _ event: UnsafePointer<kemon_event>) -> Bool

  /// Events that were sent and that not all their handlers have seen yet.
  var pending: UInt64 { get }

  /// How often the worker has taken something that was sent.
  var taken: UInt64 { get }

  /// The worker has ended: nothing is sent any more.
  ///
  /// - Returns: what is pending for ever.
  func close() -> SentEvents.Rest
}

extension UnsafeMutablePointer<kemon_verdict> {
  /// Takes an answer that was written by another process: whole, and with a reason that ends.
  func take(_ answer: kemon_verdict) {
    pointee = answer
    pointee.size = UInt32(MemoryLayout<kemon_verdict>.size)
    withUnsafeMutableBytes(of: &pointee.reason) { $0[$0.count - 1] = 0 }
  }
}
