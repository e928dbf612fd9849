// SPDX-License-Identifier: Apache-2.0

import KemonPlatform

/// What functions of policies note down, from any thread.
final class Life: Sendable {
  private let noted = PosixLock<[(step: String, words: [UInt64])]>([])

  func note(_ step: String, _ words: [UInt64]) { noted.withLock { $0.append((step, words)) } }

  var steps: [String] { noted.withLock { $0.map(\.step) } }
  var words: [[UInt64]] { noted.withLock { $0.map(\.words) } }
  /// The first argument of each.
  var arguments: [UInt64] { words.compactMap(\.first) }
}
