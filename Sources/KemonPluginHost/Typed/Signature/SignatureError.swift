// SPDX-License-Identifier: Apache-2.0

/// Why a signature can not be used, and where it says so.
struct SignatureError: Error, Equatable, CustomStringConvertible {
  /// The line of the offending text, from 1.
  let line: Int
  /// Its column in bytes, from 1.
  let column: Int
  /// What was found and what is needed.
  let message: String

  init(at place: TypedSignature.Place, _ message: String) {
    line = place.line
    column = place.column
    self.message = message
  }

  /// The message with its place.
  var description: String { "signature \(line):\(column): \(message)" }
}
