// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
public import Synchronization

/// One word of the ring that several threads write.
public typealias RingWord = UnsafeMutablePointer<Atomic<UInt64>>

/// Where everything lies in a ring's memory, as offsets from its start.
///
/// ```
///   0  what the ring is: never changes        384  sleeping: flag, futex
/// 128  claim; 192 clashes                     512  subscribers, a line each
/// 256  control: limit, audience, lines       8704  slots, then the arena: a block for each slot
/// ```
///
/// The same layout lies in private memory and in a file that two processes map; `kemon/ring.h` has it for C.
struct RingLayout: Equatable {
  /// Bytes of a cache line pair: what the hardware fetches together.
  static let line = 128
  /// How many may subscribe at a time.
  static let subscriberLimit = 64
  static let claim = line
  static let control = line * 2
  static let sleeping = line * 3
  static let subscribers = line * 4
  static let slotsOffset = line * (4 + subscriberLimit)
  static let page = 4096

  let slots: Int
  let slotBytes: Int
  /// Bytes in front of a slot's bytes: the stamp, and the answer if there are any.
  let slotHeader: Int
  /// Bytes of a slot's block in the arena; 0 when every record fits its slot.
  let blockBytes: Int
  let recordLimit: Int

  init(_ wanted: RingConfiguration) throws(RingError) {
    guard (1...(1 << 24)).contains(wanted.slots), (32...(1 << 16)).contains(wanted.slotBytes),
      (1...((1 << 22) - Self.page)).contains(wanted.recordLimit)
    else {
      throw RingError(
        .badConfiguration,
        """
        \(wanted.slots) slots of \(wanted.slotBytes) bytes for records of \(wanted.recordLimit) bytes; \
        needed are 1...\(1 << 24), 32...\(1 << 16) and 1...\((1 << 22) - Self.page)
        """)
    }
    var count = 4
    while count < wanted.slots { count *= 2 }
    slots = count
    slotHeader = wanted.hasAnswers ? 16 : 8
    slotBytes = (wanted.slotBytes + slotHeader - 1) & ~(slotHeader - 1)
    let inline = slotBytes - slotHeader
    blockBytes =
      wanted.recordLimit <= inline ? 0 : (wanted.recordLimit + Self.page - 1) & ~(Self.page - 1)
    recordLimit = max(wanted.recordLimit, inline)
  }

  var arenaOffset: Int { (Self.slotsOffset + slots * slotBytes + Self.page - 1) & ~(Self.page - 1) }
  var size: Int { arenaOffset + slots * blockBytes }
}

/// A stretch of memory that a ring lives in, private or shared, and gives back in the end.
final class RingMemory {
  let base: UnsafeMutableRawPointer
  let size: Int

  /// Private memory: zeroed; header and slots are touched at once, the arena when it is used.
  convenience init(private layout: RingLayout) throws(RingError) {
    try self.init(privateBytes: layout.size)
    for offset in stride(from: 0, to: layout.arenaOffset, by: RingLayout.page) {
      base.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self)
    }
  }

  /// Some private memory, zeroed.
  init(privateBytes size: Int) throws(RingError) {
    var error: Int32 = 0
    guard let base = ckemon_map_private(size, &error) else {
      throw RingError(.noMemory, errno: error, "no memory of \(size) bytes")
    }
    self.base = base
    self.size = size
  }

  /// A file that other processes map, too.
  init(shared descriptor: Int32, size: Int) throws(RingError) {
    var error: Int32 = 0
    guard let base = ckemon_map_shared(descriptor, size, &error) else {
      throw RingError(.noMemory, errno: error, "the file of \(size) bytes cannot be mapped")
    }
    self.base = base
    self.size = size
  }

  deinit { ckemon_unmap(base, size) }

  func word(at offset: Int) -> RingWord {
    (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
  }
}
