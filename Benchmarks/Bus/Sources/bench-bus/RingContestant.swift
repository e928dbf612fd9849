// SPDX-License-Identifier: Apache-2.0

internal import KemonBus

/// The ring of ours: one ring whatever the number of subscribers, gating readers that read in place.
struct RingContestant: Contestant {
  let environment: Environment
  let name = "KemonBus"
  let isOurs = true
  let broadcasts = true

  func takesPart(in workload: Workload) -> Bool {
    if case .dispatch = workload.topology { return false }
    return true
  }

  func run(_ workload: Workload) throws(RoundError) -> Figure {
    do {
      switch workload.topology {
      case .pingPongVerdict: return try RingPingPong(workload, in: environment).run()
      case .fixedRate: return try RingFixedRate(workload, in: environment).run()
      case .publishOnly: return try RingPublishOnly(workload, in: environment).run()
      default: return try RingThroughput(workload, in: environment).run()
      }
    } catch let error as RingError {
      throw RoundError(description: "\(name), \(workload.name): \(error)")
    } catch let error as RoundError {
      throw error
    } catch {
      throw RoundError(description: "\(name), \(workload.name): \(error)")
    }
  }
}
