// SPDX-License-Identifier: Apache-2.0

internal import BusPeers
internal import KemonBus

/// The ring of ours: one ring whatever the number of subscribers, gating readers that read in place.
struct RingContestant: Contestant {
  let environment: Environment
  /// A slot, its stamp included, is as large as an element of the peers; without, the record alone is.
  var stampsInside = true
  let broadcasts = true
  var name: String { stampsInside ? "KemonBus" : "KemonBus, 8 B more" }
  var isOurs: Bool { stampsInside }
  var isAside: Bool { !stampsInside }

  func takesPart(in workload: Workload) -> Bool {
    switch workload.topology {
    case .dispatch: false
    case .oneToOne, .oneToThree, .twoToOne:
      stampsInside || workload.size != Int(BUS_SIZE_MIX)
    default: stampsInside
    }
  }

  func run(_ workload: Workload) throws(RoundError) -> Figure {
    do {
      switch workload.topology {
      case .pingPongVerdict: return try RingPingPong(workload, in: environment).run()
      case .fixedRate: return try RingFixedRate(workload, in: environment).run()
      case .publishOnly: return try RingPublishOnly(workload, in: environment).run()
      default:
        return try RingThroughput(workload, stampsInside: stampsInside, in: environment).run()
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
