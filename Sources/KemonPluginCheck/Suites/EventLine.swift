// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonPluginTesting
import KemonText

/// Reads an event from a line of JSON as event-log writes it with `--output jsonl`.
///
/// `kind` is needed, `phase` where the kind has several; everything else has a default. What only a host can say
/// (`seq`, votes, verdict) is read over.
struct EventLine {
  /// What is wrong with a line.
  struct Mistake: Error { let text: String }

  private let members: [String: JSONValue]

  /// Parses a line.
  init(_ text: String) throws(Mistake) {
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue(parsing: text)
    } catch {
      throw Mistake(text: "column \(error.column): \(error.message)")
    }
    guard let members = value.members else {
      throw Mistake(text: "found \(value.typeName), needed is an object")
    }
    self.members = members
  }

  /// The names that do not belong to a payload.
  private static let header: Set<String> = [
    "seq", "time_ns", "corr", "kind", "phase", "pid", "tid", "ppid", "uid", "gid",
    "process_start_ns", "comm", "parent", "exe", "result", "errno", "verdict", "decided_by",
    "votes", "truncated", "replayed", "gap_before",
  ]

  /// Builds the event.
  func record(number: Int) throws(Mistake) -> OwnedRecord {
    let info = try kind()
    let names = Self.header.union(info.fields.map(\.name))
    for name in members.keys.sorted() where !names.contains(name) {
      let near = NearNames.of(name, among: names)
      throw Mistake(
        text: "\(info.name) has no \"\(name)\""
          + (near.isEmpty ? "" : "; near: " + near.joined(separator: ", ")))
    }
    let actor = try actor()
    let header = try numbers(number)
    let fields = try info.fields.map { field throws(Mistake) in (field, try value(of: field)) }
    return OwnedRecord(Int(info.kind.rawValue), by: actor) { builder in
      builder.header.pointee.time_ns = header.time
      builder.header.pointee.corr = header.operation
      builder.header.pointee.result = header.result
      if members["truncated"] == .bool(true) {
        builder.header.pointee.flags |= UInt16(KEMON_EV_TRUNCATED)
      }
      for (field, value) in fields { builder.set(field, to: value) }
    }
  }

  // MARK: Header

  private func kind() throws(Mistake) -> EventKindInfo {
    guard let name = members["kind"]?.string else { throw Mistake(text: "\"kind\" is needed") }
    let infos = EventKind.allKinds.compactMap(\.info).filter { $0.name == name }
    guard !infos.isEmpty else {
      let near = NearNames.of(name, among: EventKind.allKinds.compactMap(\.info?.name))
      throw Mistake(
        text: "there is no kind \"\(name)\""
          + (near.isEmpty ? "" : "; near: " + near.joined(separator: ", ")))
    }
    let phases = infos.map(\.phase.name).joined(separator: " or ")
    guard let phase = members["phase"]?.string else {
      guard infos.count == 1 else { throw Mistake(text: "\"phase\" is needed: \(phases)") }
      return infos[0]
    }
    guard let info = infos.first(where: { $0.phase.name == phase }) else {
      throw Mistake(text: "\(name) has no phase \"\(phase)\", only \(phases)")
    }
    return info
  }

  private func actor() throws(Mistake) -> Actor {
    var actor = Actor()
    actor.pid = try integer("pid", or: 1)
    actor.tid = try integer("tid", or: actor.pid)
    actor.ppid = try integer("ppid", or: 1)
    actor.uid = try integer("uid", or: .max)
    actor.gid = try integer("gid", or: .max)
    actor.startTime = try integer("process_start_ns", or: 0)
    actor.comm = try text("comm")
    actor.parent = try text("parent")
    actor.exe = try text("exe")
    return actor
  }

  private func numbers(
    _ number: Int
  ) throws(Mistake) -> (time: UInt64, operation: UInt64, result: Int32) {
    let second: UInt64 = 1_000_000_000
    return (
      try integer("time_ns", or: (1_600_000_000 + UInt64(number)) * second),
      try integer("corr", or: UInt64(number)), try integer("result", or: 0)
    )
  }

  private func integer<Value: FixedWidthInteger>(
    _ name: String, or standard: Value
  ) throws(Mistake) -> Value {
    guard let member = members[name], member != .null else { return standard }
    guard let integer = member.integer, let value = Value(exactly: integer) else {
      throw Mistake(text: "\"\(name)\": found \(member.text), needed is a whole number that fits")
    }
    return value
  }

  private func text(_ name: String) throws(Mistake) -> String? {
    guard let member = members[name], member != .null else { return nil }
    guard let text = member.string else {
      throw Mistake(text: "\"\(name)\": found \(member.typeName), needed is text")
    }
    return text
  }

  // MARK: Payload

  /// What a field of a payload is set to.
  enum FieldValue {
    case number(UInt64)
    case bytes([UInt8]?)
  }

  private func value(of field: PayloadField) throws(Mistake) -> FieldValue {
    let name = field.name
    guard let member = members[name], member != .null else {
      return field.type.isReference ? .bytes(nil) : .number(0)
    }
    switch (field.type, member) {
    case (.str, .string(let text)): return .bytes(Array(text.utf8))
    case (.bytes, .string(let digits)):
      guard let bytes = Self.bytes(digits) else {
        throw Mistake(text: "\"\(name)\": needed are pairs of hexadecimal digits")
      }
      return .bytes(bytes)
    case (.list, .array(let elements)):
      let texts = elements.compactMap(\.string)
      guard texts.count == elements.count else {
        throw Mistake(text: "\"\(name)\": needed is a list of texts")
      }
      return .bytes(texts.flatMap { Array($0.utf8) + [0] })
    case (.addr, .string(let digits)):
      guard digits.hasPrefix("0x"), let address = UInt64(digits.dropFirst(2), radix: 16) else {
        throw Mistake(text: "\"\(name)\": needed is a text such as 0x1000")
      }
      return .number(address)
    case (.u16, .integer), (.u32, .integer), (.u64, .integer), (.addr, .integer):
      return .number(try integer(name, or: 0))
    case (.i32, .integer), (.i64, .integer):
      return .number(UInt64(bitPattern: try integer(name, or: Int64(0))))
    default:
      throw Mistake(
        text: "\"\(name)\": found \(member.typeName), which is no \(field.type.rawValue)")
    }
  }

  private static func bytes(_ digits: String) -> [UInt8]? {
    let digits = digits.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digits[index], let low = digits[index + 1] else { return nil }
      bytes.append(UInt8(high << 4 | low))
    }
    return bytes
  }
}

extension RecordBuilder {
  /// Sets a field of the payload.
  fileprivate mutating func set(_ field: PayloadField, to value: EventLine.FieldValue) {
    var word: UInt64 =
      switch value {
      case .number(let number): number
      case .bytes(let bytes):
        {
          let string = data(bytes)
          return UInt64(string.off) | UInt64(string.len) << 32
        }()
      }
    let place =
      UnsafeMutableRawPointer(header) + Int(header.pointee.payload_off) + field.offset
    withUnsafeBytes(of: &word) {
      UnsafeMutableRawBufferPointer(start: place, count: field.width)
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<field.width]))
    }
  }
}
