// SPDX-License-Identifier: Apache-2.0

/// Finds what somebody may have meant.
enum NearNames {
  /// The names that are few changes away from a text, the nearest first, three at most.
  static func of(_ text: String, among names: some Sequence<String>) -> [String] {
    let limit = max(2, text.utf8.count / 3)
    return Set(names).map { (name: $0, distance: distance(text, $0)) }
      .filter { $0.distance <= limit }
      .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
      .prefix(3).map(\.name)
  }

  /// How many bytes must be inserted, removed or replaced to make one text the other.
  static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right.utf8)
    var row = Array(0...right.count)
    for (index, byte) in left.utf8.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in right.indices {
        let change = diagonal + (byte == right[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(change, diagonal + 1, row[column] + 1)
      }
    }
    return row[right.count]
  }
}
