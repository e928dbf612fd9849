// SPDX-License-Identifier: Apache-2.0

import Synchronization

// Unchecked: atomics in memory that is never freed.
/// A histogram of numbers of any size: eight buckets for each power of two.
struct MetricHistogram: @unchecked Sendable {
  private static let steps = 8
  /// Numbers below `steps` have a bucket each; of the 61 powers of two above each has `steps`.
  static let bucketCount = steps + 61 * steps
  private static let countWord = bucketCount
  private static let sumWord = bucketCount + 1
  private static let maximumWord = bucketCount + 2

  private let words: UnsafeMutablePointer<Atomic<UInt64>>

  /// Makes an empty one.
  init() {
    let count = Self.bucketCount + 3
    words = .allocate(capacity: count)
    for index in 0..<count { (words + index).initialize(to: Atomic(0)) }
  }

  /// Finds one again; nil for address 0.
  init?(address: UInt) {
    guard let words = UnsafeMutablePointer<Atomic<UInt64>>(bitPattern: address) else { return nil }
    self.words = words
  }

  /// What an atomic word holds.
  var address: UInt { UInt(bitPattern: words) }

  /// Adds a value; any thread.
  func record(_ value: UInt64) {
    words[Self.bucket(of: value)].wrappingAdd(1, ordering: .relaxed)
    words[Self.sumWord].wrappingAdd(value, ordering: .relaxed)
    words[Self.maximumWord].max(value, ordering: .relaxed)
    words[Self.countWord].wrappingAdd(1, ordering: .relaxed)
  }

  /// The bucket of a value.
  static func bucket(of value: UInt64) -> Int {
    guard value >= UInt64(steps) else { return Int(value) }
    let power = 63 - value.leadingZeroBitCount
    return (power - 2) * steps + Int(value >> UInt64(power - 3) & UInt64(steps - 1))
  }

  /// The middle of a bucket: no value of it is further away than a sixteenth of itself.
  static func middle(of bucket: Int) -> UInt64 {
    guard bucket >= steps else { return UInt64(bucket) }
    let shift = UInt64(bucket / steps - 1)
    let lowest = UInt64(steps + bucket % steps) << shift
    return lowest + (UInt64(1) << shift) / 2
  }

  /// What is known of the values.
  var distribution: PluginMetric.Distribution {
    let buckets = (0..<Self.bucketCount).map { words[$0].load(ordering: .relaxed) }
    let total = buckets.reduce(0, &+)
    let maximum = words[Self.maximumWord].load(ordering: .relaxed)
    let percentile = { (percent: UInt64) -> UInt64 in
      // Rounded up: of one value it is the one.
      let rank = max(1, (total / 100) * percent + (total % 100 * percent + 99) / 100)
      var seen: UInt64 = 0
      for (bucket, count) in buckets.enumerated() where count > 0 {
        seen += count
        if seen >= rank { return min(Self.middle(of: bucket), maximum) }
      }
      return 0
    }
    return PluginMetric.Distribution(
      count: words[Self.countWord].load(ordering: .relaxed),
      sum: words[Self.sumWord].load(ordering: .relaxed), maximum: maximum, p50: percentile(50),
      p90: percentile(90), p99: percentile(99))
  }
}
