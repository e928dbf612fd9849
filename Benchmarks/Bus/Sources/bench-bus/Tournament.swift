// SPDX-License-Identifier: Apache-2.0

/// All rounds of one workload: every contestant once, then every contestant again, so that whatever the machine does
/// meanwhile happens to all.
struct Tournament {
  /// What one contestant did.
  struct Entry {
    let contestant: any Contestant
    var figures: [Figure] = []

    var value: Double { Self.median(figures.map(\.value)) }
    var p99: Double? {
      let values = figures.compactMap(\.p99)
      return values.isEmpty ? nil : Self.median(values)
    }

    static func median(_ values: [Double]) -> Double {
      let sorted = values.sorted()
      guard !sorted.isEmpty else { return .nan }
      let middle = sorted.count / 2
      return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
  }

  let workload: Workload
  private(set) var entries: [Entry]
  /// Rounds that count, and the median of the cores' round trips in them.
  private(set) var rounds = 0
  private(set) var roundTrip = 0.0

  /// Runs them.
  ///
  /// Virtual machines move their cores now and then, and a cache line then takes several times as long. Rounds with
  /// far cores are not mixed with rounds with near ones: the cores' round trip is measured before and after each round
  /// of all contestants, and only rounds near the shortest one count, as long as they are enough.
  init(
    _ workload: Workload, _ contestants: [any Contestant], rounds wanted: Int,
    in environment: Environment
  ) throws(RoundError) {
    self.workload = workload
    entries = contestants.filter { $0.takesPart(in: workload) }.map { Entry(contestant: $0) }
    for entry in entries {
      for _ in 0..<entry.contestant.warmUpRounds { _ = try entry.contestant.run(workload) }
    }
    var sets: [(trip: Double, figures: [Figure])] = []
    var before = environment.roundTrip()
    // On far cores everything takes ten times as long: then fewer rounds have to do.
    let fewest = min(wanted, 9)
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(7)
    while sets.count < fewest || (sets.count < wanted && clock.now < deadline) {
      var figures: [Figure] = []
      // Everybody comes after everybody: the place in the row is no advantage.
      let start = sets.count % max(entries.count, 1)
      for index in entries.indices {
        let place = (index + start) % entries.count
        figures.append(try entries[place].contestant.run(workload))
      }
      let turned = entries.indices.map { figures[($0 - start + entries.count) % entries.count] }
      let after = environment.roundTrip()
      sets.append((max(before, after), turned))
      before = after
    }
    keepNear(sets, atLeast: (sets.count + 2) / 3)
  }

  private mutating func keepNear(_ sets: [(trip: Double, figures: [Figure])], atLeast: Int) {
    let shortest = sets.map(\.trip).min() ?? 0
    let near = sets.filter { $0.trip <= shortest * 1.5 }
    let counted = near.count >= atLeast ? near : sets
    rounds = counted.count
    roundTrip = Entry.median(counted.map(\.trip))
    for set in counted {
      for index in entries.indices { entries[index].figures.append(set.figures[index]) }
    }
  }

  /// The result of a row, or nil when we took no part.
  func result(_ comparison: Comparison) -> Result? {
    guard let ours = entries.first(where: { $0.contestant.isOurs }) else { return nil }
    let peers = entries.filter {
      !$0.contestant.isOurs && !$0.contestant.isAside && comparison.admits($0.contestant)
    }
    let isRate = workload.unit == .millionsPerSecond
    let best = isRate ? peers.max { $0.value < $1.value } : peers.min { $0.value < $1.value }
    guard let peer = best?.value ?? comparison.budget else { return nil }
    return Result(
      name: comparison.name, size: workload.sizeName, unit: workload.unit.rawValue,
      ours: ours.value, oursP99: ours.p99, bestPeer: peer, bestPeerP99: best?.p99,
      bestPeerName: best?.contestant.name ?? "budget",
      ratio: isRate ? ours.value / peer : peer / ours.value, target: comparison.target)
  }
}

/// A row of the report.
struct Result {
  let name: String
  let size: String
  let unit: String
  let ours: Double
  let oursP99: Double?
  let bestPeer: Double
  let bestPeerP99: Double?
  let bestPeerName: String
  /// Above 1 = we are better, also for latencies.
  let ratio: Double
  let target: Double?
}
