// SPDX-License-Identifier: Apache-2.0

import CHookTargets

/// One way to stand in front of a function, and what its rounds took.
struct Contestant {
  let name: String
  /// Runs so many calls and returns nanoseconds per call, below 0 when a result or an event was wrong.
  let measure: (Int) throws -> Double
  private(set) var rounds: [Double] = []

  init(_ name: String, measure: @escaping (Int) throws -> Double) {
    self.name = name
    self.measure = measure
  }

  /// A function of this process; `events` says how many pre and how many post events one call makes, in C.
  init(_ name: String, calling function: @escaping hook_target, events: Int = 0) {
    self.init(name, calling: function) { calls in
      let counts = hook_take_counts()
      let expected = UInt64(calls * events)
      return counts.pre == expected && counts.post == expected
    }
  }

  /// A function of this process; `isRight` is asked after so many calls.
  init(
    _ name: String, calling function: @escaping hook_target, isRight: @escaping (Int) -> Bool
  ) {
    self.init(name) { calls in
      _ = hook_take_counts()
      _ = SwiftHandlers.take()
      let time = hook_measure(function, calls)
      return isRight(calls) ? time : -1
    }
  }

  mutating func run(calls: Int) throws {
    let time = try measure(calls)
    guard time >= 0 else { throw BenchError("\(name): a result or the number of events is wrong") }
    rounds.append(time)
  }

  var minimum: Double { rounds.min() ?? 0 }
  var median: Double { rounds.sorted()[rounds.count / 2] }
}

/// Why nothing was measured.
struct BenchError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
