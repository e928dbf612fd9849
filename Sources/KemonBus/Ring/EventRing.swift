// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

/// The ring of events: a ``ByteRing`` that holds records.
///
/// Any thread may publish; a thread that publishes waits for nobody unless a blocking subscriber asked for it.
public final class EventRing: Sendable {
  /// The ring below.
  public let bytes: ByteRing
  let simulatedLoss: SimulatedLoss

  /// Makes a ring.
  ///
  /// - Parameters:
  ///   - slots: how many events it holds; rounded up to a power of two.
  ///   - slotBytes: bytes of a slot; larger records take the slot's block of the arena.
  ///   - recordLimit: the largest record in bytes; larger ones are refused and counted.
  ///   - simulatedLoss: what share of the events every subscriber loses on purpose.
  public init(
    slots: Int = 8192, slotBytes: Int = 512, recordLimit: Int = 256 * 1024,
    simulatedLoss: SimulatedLoss = .none
  ) {
    do {
      bytes = try ByteRing(
        RingConfiguration(
          slots: slots, slotBytes: max(slotBytes, 256), recordLimit: recordLimit))
    } catch {
      preconditionFailure(error.description)
    }
    self.simulatedLoss = simulatedLoss
  }

  /// How many events were published, or are just being published.
  public var published: UInt64 { bytes.published }

  /// Where ``published`` is counted, for those who may take no lock and call nothing; lives as long as the ring.
  public var publishedWord: UnsafeRawPointer { UnsafeRawPointer(bytes.claim) }

  /// How many events were refused, because they are larger than any record may be.
  public var refused: UInt64 { bytes.refused }

  /// Whether a subscriber with the policy `exit` has lost events: the run is to end.
  public var hasOverflowed: Bool { bytes.hasOverflowed }

  /// Copies a record into the ring and wakes who sleeps.
  ///
  /// - Parameter builder: holds a sealed record; its `seq` is set here.
  /// - Returns: false when the record is too large; every subscriber's account says that it was lost.
  @discardableResult
  public func publish(_ builder: inout RecordBuilder) -> Bool { publishHere(&builder) }

  @inline(__always) @discardableResult
  func publishHere(_ builder: inout RecordBuilder) -> Bool {
    let header = builder.header
    let size = builder.view.size
    guard size <= bytes.recordLimit else {
      bytes.countRefusal()
      return false
    }
    bytes.publishFitting(byteCount: size) { sequence in
      header.pointee.seq = sequence &+ 1
      return UnsafeRawPointer(header)
    }
    return true
  }

  /// Copies a record into the ring if there is room, and never waits for anybody.
  ///
  /// - Parameter builder: holds a sealed record; its `seq` is set here.
  /// - Returns: false when it is too large, or a blocking subscriber is a whole ring behind; both count as refused.
  @discardableResult
  public func tryPublish(_ builder: inout RecordBuilder) -> Bool {
    let size = builder.view.size
    guard size <= bytes.recordLimit else {
      bytes.countRefusal()
      return false
    }
    guard let sequence = bytes.tryClaim(forRequest: false) else { return false }
    builder.header.pointee.seq = sequence &+ 1
    bytes.write(sequence, UnsafeRawPointer(builder.header), size, answer: 0)
    return true
  }

  /// Joins the ring: everything published from now on is there for the new subscriber.
  ///
  /// - Parameters:
  ///   - name: for accounts and messages.
  ///   - overflow: what happens when it is a whole ring behind.
  /// - Throws: ``RingError/Code/tooManySubscribers``.
  public func subscribe(
    named name: String, overflow: OverflowPolicy
  ) throws(RingError) -> Subscription {
    try subscribe(named: name, ReaderOptions(overflow: overflow))
  }

  /// Joins the ring with options.
  ///
  /// - Throws: ``RingError/Code/tooManySubscribers``.
  public func subscribe(
    named name: String, _ options: ReaderOptions
  ) throws(RingError) -> Subscription {
    Subscription(ring: self, reader: try bytes.subscribe(options), name: name)
  }

  /// Wakes every subscriber that waits, though nothing was published.
  public func wakeAll() { bytes.wakeAll() }
}
