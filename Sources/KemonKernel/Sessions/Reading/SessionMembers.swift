// SPDX-License-Identifier: Apache-2.0

internal import KemonText

/// The members of an object of a session, by name and in the order of the text.
struct SessionMembers: Sendable {
  /// The object itself.
  let object: SessionValue
  /// The members; a map has those that somebody thought of.
  let all: [(name: String, value: SessionValue)]

  init(_ members: [JSONNode.Member], of object: SessionValue) {
    self.object = object
    all = members.map { member in
      let path = object.path.isEmpty ? member.name : "\(object.path).\(member.name)"
      return (member.name, SessionValue(node: member.node, path: path, text: object.text))
    }
  }

  /// Stands for an object that has one member only.
  init(_ name: String, _ value: SessionValue) {
    object = value
    all = [(name, value)]
  }

  /// A member that may be left out.
  subscript(_ name: String) -> SessionValue? { all.first { $0.name == name }?.value }

  /// A member that the table of fields requires.
  func required(_ name: String) -> SessionValue {
    guard let value = self[name] else { preconditionFailure("\(name) is not a required field") }
    return value
  }
}
