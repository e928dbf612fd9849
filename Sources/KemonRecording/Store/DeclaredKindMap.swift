// SPDX-License-Identifier: Apache-2.0

import GRDB
import KemonEvents

/// From the numbers that declared kinds have in a recording to those that they have in this process.
///
/// A recording is bad input: what is no declaration, or contradicts one of this process, has no number here.
struct DeclaredKindMap: Sendable {
  private var numbers: [UInt16: EventKind] = [:]
  /// Why a declaration of the recording is none here.
  private var refusals: [UInt16: String] = [:]
  /// As how many fields the recording knows of each kind.
  private(set) var fieldCounts: [EventKind: Int] = [:]

  /// Declares what a recording declares.
  ///
  /// - Parameter texts: the texts of declarations by their numbers.
  init(_ texts: [UInt16: String]) {
    for (number, text) in texts.sorted(by: { $0.key < $1.key }) {
      guard EventKind(rawValue: number).isDeclared else { continue }
      do throws(DeclarationError) {
        let declaration = try KindDeclaration(text: text)
        let kind = try EventKind.declare(declaration)
        numbers[number] = kind
        fieldCounts[kind] = declaration.fields.count
      } catch {
        refusals[number] = "\(error)"
      }
    }
  }

  /// Reads the declarations of a file.
  static func texts(_ database: Database) throws -> [UInt16: String] {
    let rows = try Row.fetchAll(
      database,
      sql: "SELECT id, name FROM name WHERE what = ? AND typeof(id) = 'integer' LIMIT ?",
      arguments: [RecordingSchema.declaredKind, EventKind.declaredLimit])
    var texts: [UInt16: String] = [:]
    for row in rows {
      if let number = UInt16(exactly: row[0] as Int64), let text = String.fromDatabaseValue(row[1])
      {
        texts[number] = text
      }
    }
    return texts
  }

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
        .badHeader, at: place,
        refusals[number].map { "kind \(number) means nothing here: \($0)" }
          ?? "kind \(number) is declared nowhere in the recording")
    }
    bytes.storeBytes(of: kind.rawValue, toByteOffset: place, as: UInt16.self)
  }
}
