// SPDX-License-Identifier: Apache-2.0

/// One figure: the median of some rounds, or the percentiles of single calls.
struct Row: Encodable {
  let name: String
  /// Nanoseconds for a call or an event: the median.
  let nanoseconds: Double
  /// Of single calls: the slowest of a hundred.
  var p99: Double?
  /// What it is to be at most.
  var target: Double?

  init(_ name: String, nanoseconds: Double, p99: Double? = nil, target: Double? = nil) {
    self.name = name
    self.nanoseconds = (nanoseconds * 10).rounded() / 10
    self.p99 = p99.map { ($0 * 10).rounded() / 10 }
    self.target = target
  }

  /// Measures rounds of many calls.
  ///
  /// - Parameter round: returns nanoseconds for `calls` calls.
  init(
    _ name: String, rounds: Int, calls: Int, target: Double? = nil, _ round: () throws -> UInt64
  ) rethrows {
    _ = try round()
    var figures: [Double] = []
    for _ in 0..<rounds { figures.append(Double(try round()) / Double(calls)) }
    self.init(name, nanoseconds: figures.sorted()[rounds / 2], target: target)
  }

  /// Takes the times of single calls.
  init(_ name: String, times: [UInt64], target: Double? = nil) {
    let sorted = times.sorted()
    self.init(
      name, nanoseconds: Double(sorted[sorted.count / 2]),
      p99: Double(sorted[sorted.count * 99 / 100]), target: target)
  }
}
