// SPDX-License-Identifier: Apache-2.0

import Glibc

/// How long and how often the tests that look for races run.
enum Stress {
  /// Seconds of a stress test; KEMON_STRESS_SECONDS, short by default.
  static let seconds: Double = number("KEMON_STRESS_SECONDS") ?? 1.5

  /// How often a peer is killed; KEMON_STRESS_DEATHS.
  static let deaths = Int(number("KEMON_STRESS_DEATHS") ?? 200)

  private static func number(_ name: String) -> Double? {
    getenv(name).flatMap { Double(String(cString: $0)) }
  }
}
