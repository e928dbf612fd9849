// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonText

/// What records are made of, for workers that were not compiled with the headers.
enum WorkerSchema {
  /// Kinds by their numbers: name, phase, and the fields of the payload as name, type, offset and width.
  static var json: JSONValue {
    var kinds: [String: JSONValue] = [:]
    for kind in EventKind.allKinds {
      guard let info = kind.info else { continue }
      kinds[String(kind.rawValue)] = .object([
        "name": .string(info.name), "phase": .string(info.phase.name),
        "fields": .array(
          info.fields.map { field in
            .array([
              .string(field.name), .string(field.type.rawValue), .integer(Int64(field.offset)),
              .integer(Int64(field.width)),
            ])
          }),
      ])
    }
    return .object(["kinds": .object(kinds)])
  }
}
