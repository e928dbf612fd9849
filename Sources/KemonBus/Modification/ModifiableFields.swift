// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

/// Fields that handlers may change before an operation: a set of rows of `KEMON_MODIFIABLE_TABLE`.
public struct ModifiableFields: OptionSet, Sendable {
  /// A bit for each row.
  public let rawValue: UInt32

  /// Makes a set of rows.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// A field of a kind that can be changed.
  struct Row {
    let kind: EventKind
    /// The number of the field in its kind.
    let index: Int
    let field: PayloadField
  }

  /// Every field that can be changed.
  static let rows: [Row] = EventKind.allKinds.flatMap { kind in
    (kind.info?.fields ?? []).enumerated()
      .compactMap { index, field in
        field.isModifiable ? Row(kind: kind, index: index, field: field) : nil
      }
  }

  /// The field of a name, as in `file.create.mode`; nil when there is none that can be changed.
  public init?(named name: String) {
    let found = Self.rows.firstIndex { row in
      row.kind.info.map { "\($0.name).\(row.field.name)" } == name
    }
    guard let found else { return nil }
    self.init(rawValue: 1 << UInt32(found))
  }

  /// The names of all fields that can be changed.
  public static var names: [String] {
    rows.compactMap { row in row.kind.info.map { "\($0.name).\(row.field.name)" } }
  }

  /// A field of a kind by its number; nil when it cannot be changed.
  public init?(_ kind: EventKind, field index: Int) {
    guard let row = Self.rows.firstIndex(where: { $0.kind == kind && $0.index == index }) else {
      return nil
    }
    self.init(rawValue: 1 << UInt32(row))
  }

  /// What `kemon_verdict.flags` says when this one field is changed: a handler cannot mean one kind and change another.
  public var patchFlags: UInt16 {
    UInt16(KEMON_V_PATCH) | UInt16(rawValue.trailingZeroBitCount) << UInt16(KEMON_V_PATCH_SHIFT)
  }

  /// The row that a verdict's flags mean; nil when it is none of the kind.
  static func row(patched flags: UInt16, _ kind: EventKind) -> Int? {
    let row = Int(flags >> UInt16(KEMON_V_PATCH_SHIFT))
    return row < rows.count && rows[row].kind == kind ? row : nil
  }

  /// Whether a row is in the set.
  func allows(_ row: Int) -> Bool { rawValue >> UInt32(row) & 1 != 0 }
}
