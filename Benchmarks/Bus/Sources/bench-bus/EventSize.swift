// SPDX-License-Identifier: Apache-2.0

/// The size of a workload's records: a constant of the loops, as it is a constant of the peers' types.
protocol EventSize {
  /// The size of the next record.
  static func next(_ source: inout EventSource) -> Int
  /// The size of a record that has so many bytes.
  static func of(_ count: Int) -> Int
  /// Where the first word lies that a subscriber reads beside the number; the others follow line by line.
  static var firstTouch: Int { get }
}

/// A size that never changes.
protocol FixedEventSize: EventSize {
  static var bytes: Int { get }
}

extension FixedEventSize {
  @inline(__always)
  static func next(_ source: inout EventSource) -> Int { bytes }
  @inline(__always)
  static func of(_ count: Int) -> Int { bytes }
  /// The last word of the slot's first line.
  @inline(__always)
  static var firstTouch: Int { bytes & 63 == 56 ? 48 : 56 }
}

enum Bytes56: FixedEventSize {
  @inline(__always) static var bytes: Int { 56 }
}

enum Bytes64: FixedEventSize {
  @inline(__always) static var bytes: Int { 64 }
}

enum Bytes120: FixedEventSize {
  @inline(__always) static var bytes: Int { 120 }
}

enum Bytes128: FixedEventSize {
  @inline(__always) static var bytes: Int { 128 }
}

enum Bytes248: FixedEventSize {
  @inline(__always) static var bytes: Int { 248 }
}

enum Bytes256: FixedEventSize {
  @inline(__always) static var bytes: Int { 256 }
}

/// The sizes of real records.
enum MixedBytes: EventSize {
  @inline(__always)
  static func next(_ source: inout EventSource) -> Int { source.nextSize() }
  @inline(__always)
  static func of(_ count: Int) -> Int { count }
  static var firstTouch: Int { 56 }
}
