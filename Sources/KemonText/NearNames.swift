// SPDX-License-Identifier: Apache-2.0

/// Finds what somebody may have meant.
package enum NearNames {
  /// The names that are few changes away from a text, the nearest first, three at most.
  package static func of(_ text: String, among names: some Sequence<String>) -> [String] {
    let distances = Set(names).map { (name: $0, distance: distance(text, $0)) }
    // What is clearly nearer than the rest stands alone.
    let nearest = distances.map(\.distance).min() ?? 0
    guard nearest <= max(2, text.utf8.count / 3) else { return [] }
    return distances.filter { $0.distance <= nearest + 1 }
      .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
      .prefix(3).map(\.name)
  }

  /// How many bytes must be inserted, removed, replaced or swapped with the next to make one text the other.
  package static func distance(_ left: String, _ right: String) -> Int {
    let left = Array(left.utf8)
    let right = Array(right.utf8)
    var older: [Int] = []
    var old = Array(0...right.count)
    for i in left.indices {
      var row = [i + 1]
      for j in right.indices {
        var best = min(old[j] + (left[i] == right[j] ? 0 : 1), old[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
          best = min(best, older[j - 1] + 1)
        }
        row.append(best)
      }
      (older, old) = (old, row)
    }
    return old[right.count]
  }
}
