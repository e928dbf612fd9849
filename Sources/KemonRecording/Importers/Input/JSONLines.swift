// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents

/// Reads an input that has a JSON object on each line, also when the lines are made a list by brackets and commas.
struct JSONLines<Value: Decodable> {
  /// Bytes that a line may have.
  let limit: Int

  /// Calls the body with each value; lines that are none are counted and named, and the rest goes on.
  func forEach(
    _ input: ImportInput, _ sink: inout ImportSink,
    _ body: (Value, inout ImportSink) throws(RecordingError) -> Void
  ) throws(RecordingError) {
    let decoder = JSONDecoder()
    var number = 0
    while true {
      let offset = input.offset
      guard let line = input.line(limit: limit) else { return }
      number += 1
      sink.read()
      let place = "line \(number) at byte \(offset)"
      switch line {
      case .tooLong(let count):
        sink.skip("broken line")
        sink.problem(at: place, "\(count) bytes, above the \(limit) that a line may have")
      // An object that is cut is no object: that tells well enough.
      case .text(let text), .unended(let text):
        let bytes = Self.object(in: text)
        if bytes.isEmpty {
          sink.skip("line without an object")
          continue
        }
        let value: Value
        do {
          value = try decoder.decode(Value.self, from: Self.data(bytes))
        } catch {
          sink.skip("broken line")
          sink.problem(at: place, JSONProblem.text(error))
          continue
        }
        try body(value, &sink)
      }
    }
  }

  /// A line without the brackets and commas of a list around it.
  private static func object(in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let start = line.firstIndex { !"[,] \t".utf8.contains($0) } ?? line.count
    guard start < line.count, line[start] == UInt8(ascii: "{") else {
      return start == line.count ? line.first(0) : line
    }
    let end = line.lastIndex { !"], \t".utf8.contains($0) } ?? start
    return UnsafeRawBufferPointer(rebasing: line[start...end])
  }

  /// The bytes in place: they live longer than the decoder looks at them.
  private static func data(_ bytes: UnsafeRawBufferPointer) -> Data {
    guard let base = bytes.baseAddress else { return Data() }
    return Data(
      bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: bytes.count, deallocator: .none)
  }
}

/// What Foundation says about bad JSON, in a line.
enum JSONProblem {
  static func text(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .keyNotFound(let key, _): "no field \"\(key.stringValue)\""
    case .typeMismatch(let type, let context):
      context.codingPath.isEmpty ? "no JSON object" : "field \(path(context)) is no \(words(type))"
    case .valueNotFound(let type, let context):
      "field \(path(context)) is null, needed is \(words(type))"
    case .dataCorrupted(let context):
      context.codingPath.isEmpty
        ? "not JSON" : "field \(path(context)): \(context.debugDescription)"
    default: "not JSON: \(error)"
    }
  }

  private static func path(_ context: DecodingError.Context) -> String {
    "\"" + context.codingPath.map(\.stringValue).joined(separator: ".") + "\""
  }

  private static func words(_ type: any Any.Type) -> String {
    switch type {
    case is String.Type: "text"
    case is any BinaryInteger.Type: "whole number in the range of \(type)"
    case is any Collection.Type where !"\(type)".hasPrefix("Dictionary"): "list"
    case is any Collection.Type: "object"
    default: "\(type)"
    }
  }
}
