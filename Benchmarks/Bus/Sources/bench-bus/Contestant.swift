// SPDX-License-Identifier: Apache-2.0

/// Somebody who takes part in a workload.
protocol Contestant {
  /// For the table.
  var name: String { get }
  /// Whether it is the bus of ours.
  var isOurs: Bool { get }
  /// Whether it is only shown beside the others, and in no row.
  var isAside: Bool { get }
  /// Whether every subscriber of one queue sees every event, without a queue for each.
  var broadcasts: Bool { get }
  /// Whether events of many producers have one order.
  var keepsOrder: Bool { get }
  /// Whether records say who was asked and what everyone answered; matters only where handlers are asked.
  var keepsVotes: Bool { get }
  /// Rounds that a just-in-time compiler needs before it counts.
  var warmUpRounds: Int { get }

  /// Whether it takes part.
  func takesPart(in workload: Workload) -> Bool

  /// Measures one round.
  ///
  /// - Throws: what was lost, doubled, or out of order.
  func run(_ workload: Workload) throws(RoundError) -> Figure
}

extension Contestant {
  var isOurs: Bool { false }
  var isAside: Bool { false }
  var broadcasts: Bool { false }
  var keepsOrder: Bool { true }
  var keepsVotes: Bool { false }
  var warmUpRounds: Int { 1 }
}

/// What one round gave: millions of events per second, or nanoseconds; the 99th percentile where there is one.
struct Figure {
  var value: Double
  var p99: Double?
}

/// A round that does not count, because the contestant did not do its work.
struct RoundError: Error, CustomStringConvertible {
  let description: String
}
