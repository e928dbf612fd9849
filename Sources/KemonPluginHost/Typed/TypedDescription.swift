// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonText

/// What a signature comes to on this host, as JSON: `describe` of `kemon.typed/1`.
struct TypedDescription {
  private let signature: TypedSignature
  private let schemas: TypedSchemas

  /// Reads a signature for a kind, a pattern or operations.
  ///
  /// - Throws: what can not be read; what does not match is part of the description.
  init(kind: String, signature: String, operations: OperationCatalog?) throws(PluginRefusal) {
    do throws(SignatureError) {
      self.signature = try TypedSignature(parsing: signature)
    } catch {
      throw PluginRefusal(
        KEMON_E_INVALID, line: error.line, column: error.column, "signature: \(error.message)")
    }
    let named = operations?.operations(matching: kind) ?? []
    let kinds = EventKind.matching(named.isEmpty ? kind : HandlerRequest.operationKind, phase: nil)
    guard !kinds.isEmpty else {
      throw PluginRefusal(KEMON_E_NOTFOUND, "there is no kind \"\(kind)\"")
    }
    schemas = TypedSchemas(pattern: kind, kinds: kinds, operations: named, catalog: operations)
  }

  /// The text.
  var text: String {
    var members: [String: JSONValue] = [
      "signature": .string(signature.text),
      "lane": .string(CallLayout(signature, hasVerdict: true).lane.rawValue),
    ]
    if schemas.isOfOperations {
      members["operations"] = .array(
        schemas.operations.flatMap { operation in
          schemas.schemas(of: operation).map { prototype, schema in
            var members = describe(schema)
            members["operation"] = .string(operation)
            members["since"] = .string(prototype.since)
            members["running"] = .bool(prototype.isRunning)
            return .object(members)
          }
        })
    } else {
      members["kinds"] = .array(
        schemas.kinds.map { kind in
          var members = describe(FieldSchema(kind))
          members["kind"] = .string(kind.info?.name ?? "")
          members["phase"] = .string(kind.info?.phase.name ?? "")
          return .object(members)
        })
    }
    return JSONValue.object(members).text
  }

  private func describe(_ schema: FieldSchema) -> [String: JSONValue] {
    var matched: [JSONValue] = []
    var missing: [JSONValue] = []
    for field in signature.fields {
      guard let source = schema.source(of: field.name) else {
        missing.append(.string(field.name))
        continue
      }
      matched.append(
        .object([
          "name": .string(field.name), "type": .string(field.type.text),
          "is": .string(source.typeName),
        ]))
    }
    var members: [String: JSONValue] = ["matched": .array(matched), "missing": .array(missing)]
    do throws(SignatureError) {
      _ = try schema.resolve(signature)
    } catch {
      members["refused"] = .string(error.message)
    }
    return members
  }
}
