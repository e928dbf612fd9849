// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonText

extension KindDeclaration {
  /// Reads what a plugin passed to `declare`.
  ///
  /// - Parameter plugin: whose name the kind's begins with.
  init(json text: String, by plugin: String) throws(PluginRefusal) {
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue(parsing: text)
    } catch {
      throw PluginRefusal(
        KEMON_E_INVALID, line: error.line, column: error.column, "declare: \(error.message)")
    }
    guard let members = value.members else {
      throw PluginRefusal(KEMON_E_INVALID, "declare: \(value.typeName), needed is an object")
    }
    try Self.refuseOthers(members, than: ["name", "fields"], "declare")
    guard let name = members["name"]?.string else {
      throw PluginRefusal(KEMON_E_INVALID, "declare: \"name\" is missing or no text")
    }
    guard name.hasPrefix(plugin + ".") else {
      throw PluginRefusal(
        KEMON_E_INVALID, "declare: name \"\(name)\": needed is a name that begins with \(plugin).")
    }
    guard let elements = members["fields"]?.elements else {
      throw PluginRefusal(KEMON_E_INVALID, "declare: \"fields\" is missing or no array")
    }
    var fields: [Field] = []
    for (index, element) in elements.enumerated() {
      fields.append(try Self.field(element, "declare: fields[\(index)]"))
    }
    do throws(DeclarationError) {
      try self.init(name: name, fields: fields)
    } catch {
      throw PluginRefusal(KEMON_E_INVALID, "declare: \(error.description)")
    }
  }

  private static func field(_ value: JSONValue, _ place: String) throws(PluginRefusal) -> Field {
    guard let members = value.members else {
      throw PluginRefusal(KEMON_E_INVALID, "\(place): \(value.typeName), needed is an object")
    }
    try refuseOthers(members, than: ["name", "type", "meaning"], place)
    guard let name = members["name"]?.string else {
      throw PluginRefusal(KEMON_E_INVALID, "\(place): \"name\" is missing or no text")
    }
    let text = members["type"]?.string ?? ""
    guard let type = PayloadField.FieldType(rawValue: text) else {
      let types = PayloadField.FieldType.allCases.map(\.rawValue).joined(separator: ", ")
      throw PluginRefusal(KEMON_E_INVALID, "\(place): type \"\(text)\": needed is one of \(types)")
    }
    let meaning = members["meaning"] ?? .string("")
    guard let meaning = meaning.string else {
      throw PluginRefusal(KEMON_E_INVALID, "\(place): \"meaning\" is no text")
    }
    return Field(name: name, type: type, documentation: meaning)
  }

  private static func refuseOthers(
    _ members: [String: JSONValue], than known: [String], _ place: String
  ) throws(PluginRefusal) {
    guard let other = members.keys.filter({ !known.contains($0) }).min() else { return }
    throw PluginRefusal(
      KEMON_E_INVALID,
      "\(place): \"\(other)\" is unknown; needed are \(known.joined(separator: ", "))")
  }
}
