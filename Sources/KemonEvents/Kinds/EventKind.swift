// SPDX-License-Identifier: Apache-2.0

/// A kind of event: one row of `event_table.h`.
///
/// The numbers of the 2018 Kemon are kept. An operation that has both sides has one name and two kinds, one for
/// each ``EventPhase``.
public struct EventKind: RawRepresentable, Hashable, Sendable {
  /// The stable number of the kind.
  public let rawValue: UInt16

  /// Makes a kind of any number, known or not; see ``info``.
  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Makes a kind from a `KEMON_KIND_*` constant of the C headers.
  @inlinable
  public init<Constant: BinaryInteger>(_ constant: Constant) {
    self.rawValue = UInt16(truncatingIfNeeded: constant)
  }

  /// Kinds are below this number; tables over kinds have this many rows.
  public static let limit = Int(KEMON_KIND_LIMIT)

  /// All known kinds, in the order of the table.
  public static let allKinds: [EventKind] = infos.map(\.kind)

  /// What is known about the kind; nil for a number that no row of the table has and nobody has declared.
  public var info: EventKindInfo? {
    if isDeclared { return DeclaredKinds.info(self) }
    let index = Int(rawValue)
    guard index < Self.rowOfNumber.count else { return nil }
    let row = Int(Self.rowOfNumber[index])
    return row < 0 ? nil : Self.infos[row]
  }

  /// What a record of the kind begins with.
  struct Shape {
    var phase: UInt16
    /// Negative in the table for a number that no row has.
    var payloadSize: Int16
  }

  /// The shape of the kind, from a table that is read without counting references.
  @inline(__always)
  var shape: Shape? {
    let index = Int(rawValue)
    guard index < Self.limit else { return nil }
    let shape = Self.shapes[index]
    return shape.payloadSize < 0 ? declaredShape : shape
  }

  /// The shape of a declared kind, of which there may be more any time.
  @inline(never)
  private var declaredShape: Shape? {
    guard isDeclared else { return nil }
    return info.map { Shape(phase: $0.phase.rawValue, payloadSize: Int16($0.payloadSize)) }
  }

  // Never changed once it is there, and never freed.
  private nonisolated(unsafe) static let shapes: UnsafePointer<Shape> = {
    let shapes = UnsafeMutablePointer<Shape>.allocate(capacity: limit)
    shapes.initialize(repeating: Shape(phase: 0, payloadSize: -1), count: limit)
    for info in infos {
      shapes[Int(info.kind.rawValue)] = Shape(
        phase: info.phase.rawValue, payloadSize: Int16(info.payloadSize))
    }
    return UnsafePointer(shapes)
  }()

  /// The kind of that name and phase, if there is one.
  public static func named(_ name: String, phase: EventPhase) -> EventKind? {
    (infos + DeclaredKinds.infos).first { $0.name == name && $0.phase == phase }?.kind
  }

  /// The kinds that a handler's pattern names, declared ones included: a whole name, or a beginning followed by `*`.
  ///
  /// - Parameters:
  ///   - pattern: as in `"file.open"` and `"file.*"`.
  ///   - phase: nil for every phase.
  public static func matching(_ pattern: String, phase: EventPhase?) -> [EventKind] {
    let matches: (String) -> Bool
    if pattern.hasSuffix("*") {
      let prefix = pattern.dropLast()
      matches = { $0.hasPrefix(prefix) }
    } else {
      matches = { $0 == pattern }
    }
    return (infos + DeclaredKinds.infos)
      .filter { matches($0.name) && (phase == nil || $0.phase == phase) }.map(\.kind)
  }

  static let infos: [EventKindInfo] = {
    var count = 0
    guard let rows = kemon_kind_infos(&count) else { return [] }
    return UnsafeBufferPointer(start: rows, count: count).map(EventKindInfo.init)
  }()

  private static let rowOfNumber: [Int16] = {
    var rows = [Int16](repeating: -1, count: limit)
    for (row, info) in infos.enumerated() { rows[Int(info.kind.rawValue)] = Int16(row) }
    return rows
  }()
}

/// What is known about one event kind.
public struct EventKindInfo: Sendable {
  /// The kind.
  public let kind: EventKind
  /// The name that handlers register for.
  public let name: String
  /// The constant of the C headers without its prefix, as in `FILE_OPEN_PRE`; empty for a declared kind.
  public let constant: String
  /// The side of the operation.
  public let phase: EventPhase
  /// The family.
  public let family: EventFamily
  /// Whether a denial is enforced; elsewhere votes are only recorded.
  public let canDeny: Bool
  /// Bytes of the payload struct.
  public let payloadSize: Int
  /// The fields of the payload, in order.
  public let fields: [PayloadField]

  /// Offsets of the payload's texts that are paths, at most two: what a filter's `path` means.
  public let pathOffsets: [Int]

  init(_ row: kemon_kind_info) {
    kind = EventKind(rawValue: row.kind)
    name = String(cString: row.name)
    constant = String(cString: row.constant)
    phase = EventPhase(rawValue: UInt16(row.phase)) ?? .notify
    family = EventFamily(rawValue: row.family) ?? .system
    canDeny = row.can_deny != 0
    payloadSize = Int(row.payload_size)
    fields = PayloadField.fields(ofPayload: row.payload, kind: row.kind)
    pathOffsets = Self.paths(fields)
  }

  /// Describes a kind that was declared.
  init(_ kind: EventKind, _ declaration: KindDeclaration) {
    self.kind = kind
    name = declaration.name
    constant = ""
    phase = .notify
    family = .plugin
    canDeny = false
    (fields, payloadSize) = declaration.layout
    pathOffsets = Self.paths(fields)
  }

  private static func paths(_ fields: [PayloadField]) -> [Int] {
    Array(
      fields.filter { $0.type == .str && ($0.name == "path" || $0.name == "to") }.map(\.offset)
        .prefix(2))
  }
}
