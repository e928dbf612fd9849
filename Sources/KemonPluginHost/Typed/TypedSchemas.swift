// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// The named values of everything that a handler is registered for.
struct TypedSchemas: Sendable {
  /// The pattern that the handler gave.
  let pattern: String
  let kinds: [EventKind]
  /// The operations that the pattern names; empty when it names kinds.
  let operations: [String]
  let catalog: OperationCatalog?

  /// Whether the events tell of operations, and what their arguments are.
  var isOfOperations: Bool { !operations.isEmpty }

  /// Finds the values that a signature names in every kind; in operations checks only that they can be found.
  ///
  /// - Returns: for each kind where the signature's fields are; nothing for operations, whose records say it themselves.
  func resolve(
    _ signature: TypedSignature
  ) throws(SignatureError) -> [(kind: EventKind, sources: [FieldSource?])] {
    guard !isOfOperations else {
      for operation in operations { try check(operation, signature) }
      return []
    }
    let schemas = kinds.map { ($0, FieldSchema($0)) }
    for field in signature.fields where !field.isOptional {
      try checkPresence(of: field, in: schemas.map(\.1))
    }
    var resolved: [(kind: EventKind, sources: [FieldSource?])] = []
    for (kind, schema) in schemas { resolved.append((kind, try schema.resolve(signature))) }
    return resolved
  }

  /// Where only some kinds of a pattern have a value, says which.
  private func checkPresence(
    of field: TypedSignature.Field, in schemas: [FieldSchema]
  ) throws(SignatureError) {
    let lacking = schemas.filter { $0.source(of: field.name) == nil }
    guard let first = lacking.first else { return }
    let having = Self.titles(schemas.filter { $0.source(of: field.name) != nil })
    guard !having.isEmpty else { throw first.missing(field) }
    throw SignatureError(
      at: field.place,
      "\"\(field.name)\" is not in \(Self.titles(lacking)) of \"\(pattern)\" but in \(having); write "
        + "\(field.name)? to go without it there")
  }

  private static func titles(_ schemas: [FieldSchema]) -> String {
    var titles: [String] = []
    for schema in schemas where !titles.contains(schema.title) { titles.append(schema.title) }
    let shown = titles.prefix(2).joined(separator: ", ")
    return titles.count > 2 ? "\(shown) and \(titles.count - 2) more" : shown
  }

  // MARK: Operations

  /// What the prototypes of an operation come to.
  func schemas(of operation: String) -> [(prototype: OperationCatalog.Prototype, FieldSchema)] {
    (catalog?.prototypes(of: operation) ?? []).map { prototype in
      let schema = FieldSchema(
        operation: operation, names: prototype.names, types: prototype.types,
        since: "since \(prototype.since)")
      return (prototype, schema)
    }
  }

  /// The kernel that runs must have what the signature needs; when none runs, some release must.
  private func check(_ operation: String, _ signature: TypedSignature) throws(SignatureError) {
    let all = schemas(of: operation)
    var failure: SignatureError?
    for (prototype, schema) in all.reversed() {
      guard catalog?.running == nil || prototype.isRunning else { continue }
      do throws(SignatureError) {
        _ = try schema.resolve(signature)
        return
      } catch {
        failure = failure ?? explain(error, signature, all.map { ($0.prototype, $0.1) })
      }
    }
    if let failure { throw failure }
    guard let running = catalog?.running, let field = signature.fields.first else { return }
    let since = all.first?.prototype.since ?? "no release"
    throw SignatureError(
      at: field.place, "\(running) has no \(operation); the first release with it is \(since)")
  }

  /// Adds which releases have what the running one lacks.
  private func explain(
    _ error: SignatureError, _ signature: TypedSignature,
    _ all: [(prototype: OperationCatalog.Prototype, schema: FieldSchema)]
  ) -> SignatureError {
    guard let running = catalog?.running,
      let field = signature.fields.first(where: {
        $0.place == TypedSignature.Place(line: error.line, column: error.column)
      }), let first = all.first(where: { $0.schema.source(of: field.name) != nil })
    else { return error }
    let later = all.drop { $0.prototype.since != first.prototype.since }
      .first { $0.schema.source(of: field.name) == nil }
    let until = later.map { " until \($0.prototype.since)" } ?? ""
    return SignatureError(
      at: field.place,
      "\(first.schema.title) of \(running) has no \"\(field.name)\"; it is there since "
        + "\(first.prototype.since)\(until): write \(field.name)? to run on both")
  }
}
