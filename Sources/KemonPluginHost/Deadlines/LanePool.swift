// SPDX-License-Identifier: Apache-2.0

import KemonPlatform

/// The lanes that no call is on.
///
/// There is a lane for every thread that asks at the same time, and one for every call that has not returned: a lane that
/// is stuck is missing here, and the next one that is needed takes its place. It comes back when its call returns.
final class LanePool: Sendable {
  private struct State {
    var idle: [Lane] = []
    var made = 0
  }

  private let state = PosixLock(State())

  deinit { close() }

  /// How many lanes were made so far.
  var made: Int { state.withLock { $0.made } }

  /// A lane that is idle; nil when there is none and the system has no thread left.
  func take() -> Lane? {
    let (lane, number) = state.withLock { state in
      let lane = state.idle.popLast()
      if lane == nil { state.made += 1 }
      return (lane, state.made)
    }
    return lane
      ?? Lane(number: number) { [weak self] lane in
        self?.giveBack(lane)
        return self != nil
      }
  }

  /// Takes a lane back that is idle again.
  func giveBack(_ lane: Lane) { state.withLock { $0.idle.append(lane) } }

  /// Ends the threads of the lanes that are idle; others are made when they are needed.
  func close() {
    let lanes = state.withLock { state in
      defer { state.idle = [] }
      return state.idle
    }
    for lane in lanes { lane.stop() }
  }
}
