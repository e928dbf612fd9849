// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonText

/// The named values of the records of one kind, or of one prototype of an operation.
struct FieldSchema: Sendable {
  /// What it is of, for messages: `file.open`, `mpo_vnode_check_open`.
  let title: String
  /// Since when it is so, for messages.
  let since: String
  /// The values by name; those of the header are not among them.
  let own: [String: FieldSource]

  /// The revision of every payload's fields: kinds have only grown by whole kinds so far.
  static let firstRevision = "since schema revision 1"

  /// The values of a kind.
  init(_ kind: EventKind) {
    title = kind.info?.name ?? "kind \(kind.rawValue)"
    since = Self.firstRevision
    own = Self.payload(of: kind)
  }

  /// The values of an operation: its arguments come before the fields of `kemon_mac_op` of the same name.
  init(operation: String, names: [String], types: [String], since: String) {
    title = operation
    self.since = since
    var own = Self.payload(of: EventKind(KEMON_KIND_MAC_OP))
    var index = 0
    while index < min(names.count, types.count) {
      index = Self.addArgument(at: index, names, types, to: &own)
    }
    self.own = own
  }

  /// A value by its name.
  func source(of name: String) -> FieldSource? { own[name] ?? HeaderFields.all[name] }

  /// The names that a misspelled one may have meant.
  var names: [String] { Array(own.keys) + Array(HeaderFields.all.keys) }

  private static func payload(of kind: EventKind) -> [String: FieldSource] {
    var sources: [String: FieldSource] = [:]
    for field in kind.info?.fields ?? [] where field.name != "reserved" {
      let source = FieldSource(.payload, at: field.offset, field.type)
      sources[field.name] = source
      sources["payload.\(field.name)"] = source
    }
    return sources
  }

  /// Adds the argument that begins with a word; returns the word behind it.
  private static func addArgument(
    at index: Int, _ names: [String], _ types: [String], to sources: inout [String: FieldSource]
  ) -> Int {
    let type = CType(types[index])
    let content: FieldSource.Content
    switch type?.shape {
    case .structure(let parts):
      let name = names[index].prefix { $0 != "." }
      let count = min(parts.count, names.count - index)
      sources[String(name)] = FieldSource(
        .arguments, at: 8 * index, .words(count), types[index])
      for part in index..<index + count {
        sources[names[part]] = FieldSource(
          .arguments, at: 8 * part, .integer(bytes: 8, isSigned: true), "64 bits")
      }
      return index + max(count, 1)
    case .integer(let bytes, let isSigned): content = .integer(bytes: bytes, isSigned: isSigned)
    case .address: content = .address
    // The words of an operation always have a value; a spelling that is not known here may be anything.
    case .void, nil: content = .address
    }
    sources[names[index]] = FieldSource(.arguments, at: 8 * index, content, types[index])
    return index + 1
  }
}

extension FieldSchema {
  /// Finds the values that a signature names.
  ///
  /// - Returns: for each field where it is; nil for an optional one that is not there.
  /// - Throws: what is not there, or is something else.
  func resolve(_ signature: TypedSignature) throws(SignatureError) -> [FieldSource?] {
    var sources: [FieldSource?] = []
    for field in signature.fields {
      let source = source(of: field.name)
      if let source {
        try check(field, source)
      } else if !field.isOptional {
        throw missing(field)
      }
      sources.append(source)
    }
    return sources
  }

  /// Says that there is no such value.
  func missing(_ field: TypedSignature.Field) -> SignatureError {
    let near = NearNames.of(field.name, among: names)
    let hint = near.isEmpty ? "" : "; near: " + near.joined(separator: ", ")
    return SignatureError(at: field.place, "\(title) has no \"\(field.name)\"\(hint)")
  }

  private func check(
    _ field: TypedSignature.Field, _ source: FieldSource
  ) throws(SignatureError) {
    guard !source.fits(field.type) else { return }
    let fitting = source.fittingTypes
    throw SignatureError(
      at: field.typePlace,
      "\"\(field.name)\" of \(title) is \(source.typeName) \(since), \(field.type.text) is "
        + "\(field.type.cName); what fits: \(fitting.joined(separator: ", "))")
  }
}
