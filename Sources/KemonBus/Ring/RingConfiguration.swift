// SPDX-License-Identifier: Apache-2.0

/// The measures of a ring, fixed when it is made.
public struct RingConfiguration: Sendable, Equatable {
  /// How many records the ring holds; rounded up to a power of two.
  public var slots: Int
  /// Bytes of a slot, 8 of them for its stamp and 8 for its answer if there are any; rounded up to a multiple of them.
  ///
  /// Records that fit take one slot and no more. With multiples of 64 no two slots share a cache line.
  public var slotBytes: Int
  /// The largest record, in bytes; larger ones are refused.
  ///
  /// When it does not fit a slot, each slot owns a block of this size in the ring's arena. The kernel gives memory to
  /// a block page by page when a large record first touches it.
  public var recordLimit: Int
  /// Whether records may want answers, which come back through their slot: see ``ByteRing/tryRequest(_:)``.
  ///
  /// A ring between processes always has them.
  public var hasAnswers: Bool
  /// Whether several threads publish at the same time.
  public var producers: ProducerMode

  /// Describes a ring; the defaults suit events.
  public init(
    slots: Int = 8192, slotBytes: Int = 512, recordLimit: Int = 128 * 1024,
    producers: ProducerMode = .many, hasAnswers: Bool = false
  ) {
    self.slots = slots
    self.slotBytes = slotBytes
    self.recordLimit = recordLimit
    self.producers = producers
    self.hasAnswers = hasAnswers
  }
}

/// How many threads publish on a ring at the same time.
public enum ProducerMode: Sendable {
  /// One at a time: claiming a sequence takes no atomic read-modify-write.
  case one
  /// Any number.
  case many
}
