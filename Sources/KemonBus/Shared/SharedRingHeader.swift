// SPDX-License-Identifier: Apache-2.0

/// What the file of a shared ring says about itself; `kemon_ring_header` of `kemon/ring.h`.
struct SharedRingHeader {
  static let magic: UInt64 = 0x474E_524E_4F4D_454B  // KEMONRNG
  static let version: UInt32 = 1
  static let creatorProduces: UInt32 = 1

  var magic = Self.magic
  var version = Self.version
  var flags: UInt32
  var slots: UInt64
  var slotBytes: UInt64
  var blockBytes: UInt64
  var recordLimit: UInt64
  var size: UInt64
  var creator: UInt32
  var reserved: UInt32 = 0

  init(_ layout: RingLayout, creatorProduces: Bool, creator: UInt32) {
    flags = creatorProduces ? Self.creatorProduces : 0
    slots = UInt64(layout.slots)
    slotBytes = UInt64(layout.slotBytes)
    blockBytes = UInt64(layout.blockBytes)
    recordLimit = UInt64(layout.recordLimit)
    size = UInt64(layout.size)
    self.creator = creator
  }

  /// The measures, when they are possible and are those of a file of that size.
  ///
  /// - Throws: ``RingError/Code/notARing``, naming the field and its offset.
  func layout(fileSize: Int) throws(RingError) -> RingLayout {
    guard magic == Self.magic else {
      throw RingError(.notARing, "byte 0: the file does not begin with KEMONRNG")
    }
    guard version == Self.version else {
      throw RingError(.notARing, "byte 8: version \(version), needed is \(Self.version)")
    }
    guard (4...(1 << 24)).contains(slots), slots & (slots - 1) == 0 else {
      throw RingError(
        .notARing, "byte 16: \(slots) slots, needed is a power of two from 4 to \(1 << 24)")
    }
    guard (32...(1 << 16)).contains(slotBytes), slotBytes % 16 == 0 else {
      throw RingError(
        .notARing, "byte 24: slots of \(slotBytes) bytes, needed is a multiple of 16 up to 65536")
    }
    guard recordLimit > 0, recordLimit < 1 << 22 else {
      throw RingError(
        .notARing, "byte 40: records of \(recordLimit) bytes, the most is \((1 << 22) - 1)")
    }
    let layout = try RingLayout(
      RingConfiguration(
        slots: Int(slots), slotBytes: Int(slotBytes), recordLimit: Int(recordLimit),
        hasAnswers: true))
    guard UInt64(layout.blockBytes) == blockBytes else {
      throw RingError(
        .notARing, "byte 32: blocks of \(blockBytes) bytes, needed are \(layout.blockBytes)")
    }
    guard layout.size == fileSize, size == UInt64(fileSize) else {
      throw RingError(
        .notARing,
        "byte 48: \(size) bytes in a file of \(fileSize), the measures need \(layout.size)")
    }
    return layout
  }
}
