// SPDX-License-Identifier: Apache-2.0

/// The named arguments of a function of C: `path:z flags:i signer_type?:p`.
///
/// The grammar is that of `kemon/typed.h`.
struct TypedSignature: Sendable {
  /// Where something stands in the text, from 1.
  struct Place: Equatable, Sendable {
    let line: Int
    let column: Int
  }

  /// One named argument.
  struct Field: Sendable {
    let name: String
    /// It may be missing: the function gets 0 or NULL then.
    let isOptional: Bool
    let type: TypedType
    let place: Place
    let typePlace: Place

    /// As it is written.
    var text: String { "\(name)\(isOptional ? "?" : ""):\(type.text)" }
  }

  /// How the function takes its arguments.
  enum Form: Sendable {
    /// One by one, as C does.
    case arguments
    /// As an array of words: `[path:z flags:i]`.
    case words
  }

  let fields: [Field]
  /// What a service returns; nil where the signature does not say.
  let result: TypedType?
  /// Where the result stands.
  let resultPlace: Place
  let form: Form

  /// The most fields.
  static let fieldLimit = 32
  /// The longest text in bytes.
  static let textLimit = 1024
  /// The largest structure in bytes.
  static let structureLimit = 256

  /// Reads a signature.
  init(parsing text: String) throws(SignatureError) {
    var parser = SignatureParser(text)
    self = try parser.signature()
  }

  init(fields: [Field], result: TypedType?, resultPlace: Place, form: Form) {
    self.fields = fields
    self.result = result
    self.resultPlace = resultPlace
    self.form = form
  }

  /// As it is written, with single spaces.
  var text: String {
    let list = fields.map(\.text).joined(separator: " ")
    let arguments = form == .words ? "[\(list)]" : list
    return result.map { arguments.isEmpty ? "-> \($0.text)" : "\(arguments) -> \($0.text)" }
      ?? arguments
  }
}
