// SPDX-License-Identifier: Apache-2.0

/// A row of the report: ours beside the best of some of the contestants, and how good we want to be.
struct Comparison {
  let workload: Workload
  /// The workload's name, and what the peers have in common where there are several rows.
  let name: String
  /// The ratio to reach, above 1 = we are better; nil where none is set.
  let target: Double?
  /// A figure to stay within, where there is no peer.
  var budget: Double?
  let admits: (any Contestant) -> Bool

  /// The rows of a workload.
  static func rows(of workload: Workload) -> [Comparison] {
    let name = workload.name
    let size = workload.size
    func row(
      _ name: String, _ target: Double?, budget: Double? = nil,
      _ admits: @escaping (any Contestant) -> Bool = { _ in true }
    ) -> Comparison {
      Comparison(
        workload: workload, name: name, target: target, budget: budget, admits: admits)
    }
    switch workload.topology {
    case .oneToOne: return [row(name, [64: 1.0, 128: 1.2, 256: 1.0][size])]
    case .oneToThree:
      let isFixed = size != 0
      return [
        row(name, isFixed ? 1.3 : nil) { $0.broadcasts },
        row("\(name)Queues", isFixed ? 2.5 : nil) { !$0.broadcasts },
      ]
    case .twoToOne:
      return [
        row(name, size == 128 ? 1.2 : nil) { $0.keepsOrder },
        row("\(name)AnyOrder", size == 128 ? 0.7 : nil) { !$0.keepsOrder },
      ]
    case .pingPongVerdict: return [row(name, size == 64 ? 1 / 0.9 : nil)]
    case .fixedRate: return [row(name, nil)]
    case .dispatch:
      return [
        row(name, 1 / 1.15) { !$0.keepsVotes },
        row("\(name)Votes", 1) { $0.keepsVotes },
      ]
    case .publishOnly(let hasParkedReader): return [row(name, 1, budget: hasParkedReader ? 20 : 15)]
    }
  }
}
