// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// The part of a registration that is about named arguments and named operations.
extension HandlerRequest {
  /// The kind of all operations.
  static let operationKind = "mac.op"

  /// The condition that an operation is one of those that a pattern for kinds names.
  static func condition(for pattern: String) -> String {
    let name = OperationCatalog.prefix + pattern.dropFirst("mac.".count)
    return name.hasSuffix("*") ? "op ^= '\(name.dropLast())'" : "op == '\(name)'"
  }

  /// Checks the signature; nil for a handler without.
  static func typed(
    _ raw: kemon_handler, _ schemas: TypedSchemas, _ complain: @escaping @Sendable (String) -> Void,
    _ place: String
  ) throws(PluginRefusal) -> TypedHandler? {
    guard let text = raw.signature else {
      guard raw.typed == nil else {
        throw PluginRefusal(KEMON_E_INVALID, "\(place): typed is set, signature is NULL")
      }
      return nil
    }
    guard let function = raw.typed, raw.fn == nil else {
      throw PluginRefusal(
        KEMON_E_INVALID, "\(place): with a signature typed is the function and fn is NULL")
    }
    let signatureText = try ForeignStruct.text(
      text, limit: TypedSignature.textLimit, named: "\(place): signature")
    do throws(SignatureError) {
      let signature = try TypedSignature(parsing: signatureText)
      guard signature.result == nil else {
        throw SignatureError(
          at: signature.resultPlace, "a handler returns kemon_status; results are for services")
      }
      return try TypedHandler(
        signature, function: unsafeBitCast(function, to: UnsafeRawPointer.self), context: raw.ctx,
        schemas: schemas, complain: complain)
    } catch {
      throw PluginRefusal(
        KEMON_E_INVALID, line: error.line, column: error.column,
        "\(place): signature: \(error.message)")
    }
  }
}
