// SPDX-License-Identifier: Apache-2.0

internal import BusPeers

/// What is measured, named by who talks to whom.
enum Topology: Hashable, Sendable {
  /// One producer, one subscriber.
  case oneToOne
  /// One producer, three subscribers who each see everything.
  case oneToThree
  /// Two producers, one subscriber.
  case twoToOne
  /// An event there, a verdict back.
  case pingPongVerdict
  /// One way, an event every microsecond.
  case fixedRate
  /// So many handlers are called with an event.
  case dispatch(handlers: Int)
  /// Nobody reads, or a reader is parked and woken never.
  case publishOnly(hasParkedReader: Bool)
}

/// One topology with events of one size.
struct Workload: Hashable, Sendable {
  let topology: Topology
  /// Bytes of an event; 0 = the sizes of real records.
  let size: Int

  /// How the figure is read.
  enum Unit: String { case millionsPerSecond = "M/s", nanoseconds = "ns" }

  var unit: Unit {
    switch topology {
    case .oneToOne, .oneToThree, .twoToOne: .millionsPerSecond
    default: .nanoseconds
    }
  }

  var name: String {
    switch topology {
    case .oneToOne: "OneToOne"
    case .oneToThree: "OneToThree"
    case .twoToOne: "TwoToOne"
    case .pingPongVerdict: "PingPongVerdict"
    case .fixedRate: "FixedRate"
    case .dispatch(let handlers): "Dispatch\(handlers)"
    case .publishOnly(let hasParkedReader): hasParkedReader ? "PublishOnlyParked" : "PublishOnly"
    }
  }

  var sizeName: String { size == Int(BUS_SIZE_MIX) ? "mix" : "\(size)" }

  var producers: Int { topology == .twoToOne ? 2 : 1 }

  var subscribers: Int {
    switch topology {
    case .oneToThree: 3
    case .publishOnly(let hasParkedReader): hasParkedReader ? 1 : 0
    default: 1
    }
  }

  /// Events of a round: a few milliseconds.
  var events: Int {
    switch topology {
    case .oneToOne: 200_000
    case .oneToThree: 150_000
    // Threads take turns on a core when there are more of them: long enough for some turns.
    case .twoToOne: 300_000
    case .pingPongVerdict: 10_000
    case .fixedRate: 10_000
    case .dispatch(let handlers): 400_000 / (handlers + 3)
    case .publishOnly: 200_000
    }
  }

  /// All workloads, in the order of the report.
  static let all: [Workload] =
    [Topology.oneToOne, .oneToThree, .twoToOne].flatMap { topology in
      [64, 128, 256, Int(BUS_SIZE_MIX)].map { Workload(topology: topology, size: $0) }
    }
    + [64, 256].map { Workload(topology: .pingPongVerdict, size: $0) }
    + [Workload(topology: .fixedRate, size: 128)]
    + [1, 4, 16].map { Workload(topology: .dispatch(handlers: $0), size: 128) }
    + [false, true].map { Workload(topology: .publishOnly(hasParkedReader: $0), size: 128) }
}
