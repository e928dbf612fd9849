// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonText

/// Why a worker did not do what it was asked for.
struct WorkerFailure: Error, CustomStringConvertible {
  let status: kemon_status
  let text: String
  var line: UInt32 = 0
  var column: UInt32 = 0

  init(_ text: String, status: kemon_status = KEMON_E_FAILED) {
    self.status = status
    self.text = text
  }

  /// Reads the body of a frame that says so.
  init(_ body: JSONValue) {
    let number = { (name: String) in body.value(at: name)?.integer ?? 0 }
    let given = Int32(clamping: number("status"))
    status = given < 0 ? given : KEMON_E_FAILED
    text = body.value(at: "text")?.string ?? ""
    line = UInt32(clamping: number("line"))
    column = UInt32(clamping: number("column"))
  }

  var description: String { text }

  /// As the worker sends it.
  var json: JSONValue {
    .object([
      "status": .integer(Int64(status)), "text": .string(text), "line": .integer(Int64(line)),
      "column": .integer(Int64(column)),
    ])
  }

  /// Writes it into the caller's buffer, as a plugin would.
  func report(to error: UnsafeMutablePointer<kemon_error>?) {
    _ = PluginRefusal(status, line: Int(line), column: Int(column), text).report(to: error)
  }
}
