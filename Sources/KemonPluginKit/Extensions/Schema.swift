// SPDX-License-Identifier: Apache-2.0

/// The extension `kemon.schema/1`: kinds and fields by their names, and events of the plugin's own kinds.
public struct Schema: @unchecked Sendable {
  // Both tables are immutable and outlive the plugin; what is not marked [any] says so.
  let host: UnsafePointer<kemon_host>
  let table: UnsafePointer<kemon_ext_schema>

  /// A value of a field.
  public enum Value: Sendable {
    /// An integer field.
    case number(Int64)
    /// A text field.
    case text(String)
    /// Raw bytes, or a list of texts that each end with a NUL.
    case bytes([UInt8])
    /// A text or bytes that are not there.
    case absent
  }

  /// The kind of a name and phase, declared by a plugin or not; nil when there is none.
  public func kind(_ name: String, _ phase: EventPhase) -> EventKind? {
    var number: UInt16 = 0
    return table.pointee.kind(host, name, phase.rawValue, &number) == KEMON_OK
      ? EventKind(rawValue: number) : nil
  }

  /// Where a field of a kind lies; nil when the kind has none of that name.
  ///
  /// Look it up once, in `init` or `start`: it is good for every event of the kind.
  public func field(_ kind: EventKind, _ name: String) -> Field? {
    var field = kemon_field()
    field.size = UInt32(MemoryLayout<kemon_field>.size)
    return table.pointee.field(host, kind.rawValue, name, &field) == KEMON_OK ? Field(field) : nil
  }

  /// What is known about a kind, declared by a plugin or not; nil when nobody has it.
  public func info(_ kind: EventKind) -> EventKindInfo? {
    if let known = kind.info { return known }
    // The kit has a table of its own, which learns here what the host's knows.
    var count = 0
    guard kind.isDeclared, let row = table.pointee.info(host, kind.rawValue),
      let rows = table.pointee.fields(host, kind.rawValue, &count)
    else { return nil }
    let fields = UnsafeBufferPointer(start: rows, count: count).compactMap { field in
      PayloadField.FieldType(rawValue: String(cString: field.type))
        .map {
          KindDeclaration.Field(
            name: String(cString: field.name), type: $0, documentation: String(cString: field.doc))
        }
    }
    let declared = try? EventKind.declare(
      KindDeclaration(name: String(cString: row.pointee.name), fields: fields), as: kind.rawValue)
    return declared?.info
  }

  /// Declares a kind of the plugin's own; in `init` only.
  ///
  /// - Parameter json: as `kemon/schema.h` describes it.
  /// - Throws: what is wrong with it.
  public func declare(_ json: String) throws(HostRefusal) -> EventKind {
    var number: UInt16 = 0
    var error = kemon_error()
    error.size = UInt32(MemoryLayout<kemon_error>.size)
    let status = table.pointee.declare(host, json, &number, &error)
    try HostRefusal.check(status, "declare", error)
    return EventKind(rawValue: number)
  }

  /// Publishes an event of a kind that the plugin has declared; never waits.
  ///
  /// - Parameters:
  ///   - kind: as ``declare(_:)`` gave it.
  ///   - event: what it is about; its process is the new event's, too.
  ///   - values: of the fields in order; what is missing is 0 or absent.
  /// - Returns: false when there was no room, or the chain of events is too long: the event is lost.
  /// - Throws: when the kind is not the plugin's, or there are more values than fields.
  @discardableResult
  public func emit(
    _ kind: EventKind, about event: Event? = nil, _ values: [Value]
  ) throws(HostRefusal) -> Bool {
    let texts = values.map { value -> [UInt8]? in
      switch value {
      case .text(let text): Array(text.utf8)
      case .bytes(let bytes): bytes
      case .number, .absent: nil
      }
    }
    // One run of memory for all of them, so that pointers to it are good during one call.
    let joined = texts.flatMap { $0 ?? [] }
    let status = joined.withUnsafeBytes { memory in
      var start = 0
      let raw = zip(values, texts).map { value, text in
        guard let text else {
          if case .number(let number) = value {
            return kemon_number(UInt64(bitPattern: number))
          }
          return kemon_value()
        }
        defer { start += text.count }
        // An empty text is there, and lies somewhere.
        let base = memory.baseAddress ?? UnsafeRawPointer(host)
        return kemon_bytes(base + start, text.count)
      }
      return table.pointee.emit(host, kind.rawValue, event?.event, raw, UInt32(raw.count))
    }
    if status == KEMON_E_FULL { return false }
    try HostRefusal.check(status, "emit")
    return true
  }

  /// A field of a kind, by its place.
  public struct Field: Sendable {
    let field: kemon_field

    init(_ field: kemon_field) { self.field = field }

    /// The integer in an event; 0 when the event is of another kind or does not have the field.
    public func number(in event: Event) -> Int64 {
      Int64(bitPattern: withUnsafePointer(to: field) { kemon_field_u64(event.event, $0) })
    }

    /// The text or the bytes in an event, in place; empty when they are absent.
    public func text(in event: Event) -> RecordText {
      RecordText(event.bytes(withUnsafePointer(to: field) { kemon_field_str(event.event, $0) }))
    }

    /// Whether a handler may change it before the operation.
    public var isModifiable: Bool { field.flags & UInt32(KEMON_FIELD_MODIFIABLE) != 0 }
  }
}
