// SPDX-License-Identifier: Apache-2.0

extension JSONNode {
  /// Where the value at a path begins: bytes from the beginning of the text.
  ///
  /// - Parameter path: as in ``JSONValue/value(at:)``. Where a part of it is missing, the last one that is there counts;
  ///   for a member, its name.
  public func offset(at path: String) -> Int {
    guard let steps = try? JSONValue.steps(of: path) else { return offset }
    var node = self
    var place = offset
    for step in steps {
      switch (step, node.content) {
      case (.member(let name), .object(let members)):
        guard let member = members.first(where: { $0.name == name }) else { return place }
        node = member.node
        place = member.offset
      case (.element(let index), .array(let elements)):
        guard index < elements.count else { return place }
        node = elements[index]
        place = node.offset
      default: return place
      }
    }
    return place
  }
}
