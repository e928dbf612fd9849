// SPDX-License-Identifier: Apache-2.0

import GRDB
import KemonEvents

/// From the numbers that declared kinds have in a recording to those that they have in this process.
///
/// A recording is bad input: what is no declaration, or contradicts one of this process, has no number here.
struct DeclaredKindMap: Sendable {
  private var numbers: [UInt16: EventKind] = [:]

  /// Declares what a recording declares.
  ///
  /// - Parameter texts: the texts of declarations by their numbers.
  init(_ texts: [UInt16: String]) {
    for (number, text) in texts.sorted(by: { $0.key < $1.key }) {
      guard EventKind(rawValue: number).isDeclared,
        let kind = try? EventKind.declare(KindDeclaration(text: text))
      else { continue }
      numbers[number] = kind
    }
  }

  /// Reads the declarations of a file.
  static func texts(_ database: Database) throws -> [UInt16: String] {
    let rows = try Row.fetchAll(
      database, sql: "SELECT id, name FROM name WHERE what = ? AND typeof(id) = 'integer'",
      arguments: [RecordingSchema.declaredKind])
    var texts: [UInt16: String] = [:]
    for row in rows.prefix(EventKind.declaredLimit) {
      if let number = UInt16(exactly: row[0] as Int64), let text = String.fromDatabaseValue(row[1])
      {
        texts[number] = text
      }
    }
    return texts
  }

  /// The kinds of the recording that have a number here.
  var kinds: Set<EventKind> { Set(numbers.values) }

  /// Whether every number is the same here.
  var isIdentity: Bool { numbers.allSatisfy { $0.key == $0.value.rawValue } }

  /// Gives the bytes of a record the number that its kind has here; a record of another kind stays as it is.
  ///
  /// - Throws: when nobody knows what kind it is.
  func apply(to bytes: UnsafeMutableRawBufferPointer) throws(KemonEvents.RecordError) {
    let place = MemoryLayout<kemon_event>.offset(of: \.kind) ?? 0
    guard bytes.count >= place + 2 else { return }
    let number = bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self)
    guard EventKind(rawValue: number).isDeclared else { return }
    guard let kind = numbers[number] else {
      throw KemonEvents.RecordError(
        .badHeader, at: place, "kind \(number) is declared nowhere in the recording")
    }
    bytes.storeBytes(of: kind.rawValue, toByteOffset: place, as: UInt16.self)
  }
}
