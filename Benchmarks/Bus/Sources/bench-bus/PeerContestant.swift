// SPDX-License-Identifier: Apache-2.0

internal import BusPeers

/// A queue from Debian's packages, through its adapter in C++.
struct PeerContestant: Contestant {
  let peer: UnsafePointer<bus_peer>
  let environment: Environment

  /// All of them.
  static func all(in environment: Environment) -> [PeerContestant] {
    var count = 0
    guard let first = bus_peers(&count) else { return [] }
    return UnsafeBufferPointer(start: first, count: count).compactMap { peer in
      peer.map { PeerContestant(peer: $0, environment: environment) }
    }
  }

  var name: String { String(cString: peer.pointee.name) }
  var keepsOrder: Bool { peer.pointee.keeps_order }

  func takesPart(in workload: Workload) -> Bool { function(workload.topology) != nil }

  private func function(_ topology: Topology) -> bus_run? {
    switch topology {
    case .oneToOne: peer.pointee.one_to_one
    case .oneToThree: peer.pointee.fan_out
    case .twoToOne: peer.pointee.fan_in
    case .pingPongVerdict: peer.pointee.ping_pong
    case .fixedRate: peer.pointee.fixed_rate
    case .dispatch, .publishOnly: nil
    }
  }

  func run(_ workload: Workload) throws(RoundError) -> Figure {
    guard let function = function(workload.topology) else {
      throw RoundError(description: "\(name) takes no part in \(workload.name)")
    }
    let result = environment.withLoad(workload) { load in
      withUnsafePointer(to: load) { function($0) }
    }
    guard result.is_right, result.is_ordered || (!keepsOrder && workload.producers > 1) else {
      throw RoundError(
        description:
          "\(name), \(workload.name) \(workload.sizeName): events lost, doubled or out of order")
    }
    return workload.figure(total: result.total_ns, p50: result.p50_ns, p99: result.p99_ns)
  }
}

extension Workload {
  /// The figure of a round from what all contestants measure.
  func figure(total: Double, p50: Double, p99: Double) -> Figure {
    switch topology {
    case .oneToOne, .oneToThree, .twoToOne:
      Figure(value: Double(events / producers * producers) / total * 1_000)
    case .pingPongVerdict, .fixedRate: Figure(value: p50, p99: p99)
    case .dispatch, .publishOnly: Figure(value: total / Double(events))
    }
  }
}
