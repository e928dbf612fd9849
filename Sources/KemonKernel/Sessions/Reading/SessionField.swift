// SPDX-License-Identifier: Apache-2.0

/// A member that an object of a session can have: what the reader checks and what the schema says.
struct SessionField: Sendable {
  let name: String
  let type: SessionType
  let isRequired: Bool
  /// For people: meaning, unit, and what it is when left out.
  let about: String

  static func required(_ name: String, _ type: SessionType, _ about: String) -> SessionField {
    SessionField(name: name, type: type, isRequired: true, about: about)
  }

  static func optional(_ name: String, _ type: SessionType, _ about: String) -> SessionField {
    SessionField(name: name, type: type, isRequired: false, about: about)
  }
}
