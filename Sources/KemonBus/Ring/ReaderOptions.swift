// SPDX-License-Identifier: Apache-2.0

/// How a reader takes part in a ring.
public struct ReaderOptions: Sendable {
  /// What happens when it is a whole ring behind.
  public var overflow: OverflowPolicy
  /// It sees one record of so many, those whose sequence is a multiple of it; 1 for all.
  public var sampling: Int
  /// How long a gating reader may stand still while producers wait for it, before it is evicted; nil for ever.
  ///
  /// A reader that can be evicted reads copies, because producers may come round while it reads.
  public var patience: Duration?
  /// The producer is another process, and nothing that it writes is believed.
  var isForeign = false

  /// Describes a reader.
  public init(overflow: OverflowPolicy = .block, sampling: Int = 1, patience: Duration? = nil) {
    self.overflow = overflow
    self.sampling = max(sampling, 1)
    self.patience = patience
  }

  /// Producers wait for it.
  var gates: Bool { overflow == .block }
  /// It may be lapped while it reads.
  var copies: Bool { !gates || patience != nil || isForeign }

  var patienceNanoseconds: UInt64 {
    guard let (seconds, attoseconds) = patience?.components else { return 0 }
    let nanoseconds = Double(seconds) * 1e9 + Double(attoseconds) / 1e9
    return UInt64(min(max(nanoseconds, 1), 9e18))
  }
}
