// SPDX-License-Identifier: Apache-2.0

internal import KemonText

/// What a session calls its parts.
struct SessionNames {
  let processes: [String]
  let kexts: [String]
}

extension SessionType {
  /// Checks that a value is what it should be, all the way down.
  ///
  /// - Parameter names: what the session calls its parts; nil while that is not known yet.
  /// - Throws: what was found where, and what is needed.
  func check(_ value: SessionValue, names: SessionNames?) throws(SessionError) {
    switch (self, value.node.content) {
    case (.list(let element), .array):
      for item in value.elements { try element.check(item, names: names) }
    case (.map(let type), .object):
      for member in value.members.all { try type.check(member.value, names: names) }
    case (.object(let fields), .object), (.short(_, let fields), .object):
      try Self.check(value, fields, names)
    case (.short(let name, let fields), _):
      guard let field = fields.first(where: { $0.name == name }) else {
        preconditionFailure("\(name) is not among the fields")
      }
      try field.type.check(value, names: names)
    case (.oneOf(let fields), .object):
      try Self.checkOne(value, fields, names)
    case (.process, .string(let name)):
      guard let known = names?.processes, !known.contains(name) else { return }
      throw value.error(
        "\"\(name)\" is none of the session's processes\(Self.suggestion(name, known))")
    case (.kext, .string(let name)):
      guard let known = names?.kexts, !known.contains(name) else { return }
      throw value.error(
        "\"\(name)\" is none of the session's kexts\(Self.suggestion(name, known))")
    case (.choice(let known), .string(let name)):
      guard !known.contains(name) else { return }
      throw value.error(
        "\"\(name)\" is not known; known are \(known.joined(separator: ", "))"
          + Self.suggestion(name, known))
    default:
      try checkScalar(value)
    }
  }

  private func checkScalar(_ value: SessionValue) throws(SessionError) {
    switch (self, value.node.content) {
    case (.flag, .bool): return
    case (.text, .string(let text)):
      guard !text.utf8.contains(0) else { throw value.error("a NUL found, needed is \(words)") }
    case (.shortText(let range), .string(let text)):
      guard range.contains(text.utf8.count), !text.utf8.contains(0) else {
        throw value.error("\(text.utf8.count) bytes found, needed are \(words)")
      }
    case (.path, .string(let text)):
      guard text.hasPrefix("/"), !text.utf8.contains(0) else {
        throw value.error("\"\(text)\" is not an absolute path")
      }
    case (.integer(let range), .integer(let number)) where range.contains(number): return
    case (.address, _) where value.addressIfAny != nil: return
    case (.version, .string(let text)):
      guard KextVersion(parsing: text) != nil else {
        throw value.error("\"\(text)\" is not a kext version; needed is \(words)")
      }
    case (.bytes, .string(let text)):
      guard HexText.bytes(text) != nil else { throw value.error("needed is \(words)") }
    default:
      throw value.error("\(value.node.value.typeName) found, needed is \(words)")
    }
  }

  private static func check(
    _ value: SessionValue, _ fields: [SessionField], _ names: SessionNames?
  ) throws(SessionError) {
    try refuseUnknown(in: value, fields.map(\.name))
    let members = value.members
    for field in fields {
      if let member = members[field.name] {
        try field.type.check(member, names: names)
      } else if field.isRequired {
        throw value.error("\"\(field.name)\" is missing: \(field.about)")
      }
    }
  }

  private static func checkOne(
    _ value: SessionValue, _ fields: [SessionField], _ names: SessionNames?
  ) throws(SessionError) {
    let known = fields.map(\.name)
    try refuseUnknown(in: value, known)
    let members = value.members.all
    guard members.count == 1, let member = members.first else {
      throw value.error(
        "\(members.count) members found, needed is one of \(known.joined(separator: ", "))")
    }
    for field in fields where field.name == member.name {
      try field.type.check(member.value, names: names)
    }
  }

  /// A misspelt member is not ignored.
  private static func refuseUnknown(
    in value: SessionValue, _ known: [String]
  ) throws(SessionError) {
    guard case .object(let members) = value.node.content else { return }
    for member in members where !known.contains(member.name) {
      throw value.text.error(
        at: member.offset, path: value.path,
        "\"\(member.name)\" is not known here; known are \(known.joined(separator: ", "))"
          + suggestion(member.name, known))
    }
  }

  private static func suggestion(_ name: String, _ known: [String]) -> String {
    let near = NearNames.of(name, among: known)
    return near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"
  }
}
