// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonText

extension PluginManifest {
  /// The longest name, of plugins and of what they name.
  static let nameLimit = 64

  /// Reads a manifest and checks every rule.
  ///
  /// - Throws: all that is wrong, not the first thing only.
  init(parsing text: [UInt8]) throws(ManifestError) {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: text)
    } catch {
      throw ManifestError(broken: [
        BrokenRule(rule: .manifestJSON, found: error.description, needed: "one JSON object")
      ])
    }
    guard case .object(let members) = value else {
      throw ManifestError(broken: [
        BrokenRule(rule: .manifestJSON, found: value.typeName, needed: "a JSON object")
      ])
    }
    var reader = ManifestReader(members: members)
    name = reader.name()
    version = reader.version()
    abi = reader.abi()
    description = reader.text("description")
    license = reader.text("license")
    needs = reader.names("needs", besides: name)
    after = reader.names("after", besides: name)
    extensions = reader.extensions()
    capabilities = reader.capabilities()
    isolation = reader.isolation()
    stateVersion = reader.stateVersion()
    emits = reader.emits()
    configuration = reader.configuration()
    reader.refuseUnknown()
    guard reader.broken.isEmpty else { throw ManifestError(broken: reader.broken) }
  }

  /// Whether a text can be a plugin's name.
  static func isName(_ text: String) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, let last = bytes.last, bytes.count <= nameLimit else {
      return false
    }
    return isLowerCase(first) && last != UInt8(ascii: "-")
      && bytes.allSatisfy { isLowerCase($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
  }

  /// Whether a text can be an extension's id: dotted words, a slash, a number.
  static func isExtension(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].allSatisfy(isDigit), !parts[1].isEmpty else { return false }
    let words = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return words.allSatisfy { word in
      !word.isEmpty && word.allSatisfy { isLowerCase($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }
  }

  /// Whether a text can be a kind's name: dotted words.
  static func isKind(_ text: String) -> Bool {
    let words = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return words.count > 1 && text.utf8.count <= nameLimit
      && words.allSatisfy { word in
        guard let first = word.first, isLowerCase(first) else { return false }
        return word.allSatisfy {
          isLowerCase($0) || isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
      }
  }

  /// Whether a text is MAJOR.MINOR.PATCH, without leading zeros.
  static func isVersion(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return parts.count == 3
      && parts.allSatisfy { part in
        (1...9).contains(part.count) && part.allSatisfy(isDigit)
          && (part.count == 1 || part.first != UInt8(ascii: "0"))
      }
  }

  private static func isLowerCase(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}

/// Takes members one by one and collects what is wrong with them.
private struct ManifestReader {
  static let known = [
    "name", "version", "abi", "description", "license", "needs", "after", "extensions",
    "capabilities", "isolation", "state", "emits", "config",
  ]
  static let textLimit = 1024
  static let listLimit = 64

  let members: [String: JSONValue]
  var broken: [BrokenRule] = []

  mutating func name() -> String {
    let name = members["name"]?.string ?? ""
    if !PluginManifest.isName(name) {
      fail(
        .manifestName, found(members["name"]),
        "lower case letters, digits and hyphens, at most \(PluginManifest.nameLimit), a letter first"
      )
    }
    return name
  }

  mutating func version() -> String {
    let version = members["version"]?.string ?? ""
    if !PluginManifest.isVersion(version) {
      fail(.manifestVersion, found(members["version"]), "MAJOR.MINOR.PATCH, as in \"1.0.0\"")
    }
    return version
  }

  mutating func abi() -> Int64 {
    let needed = Int64(KEMON_ABI_MAJOR)
    let abi = members["abi"]?.integer
    if abi != needed {
      let value = members["abi"]
      fail(.manifestABI, value == nil ? "no abi" : "ABI \(value?.text ?? "")", "ABI \(needed)")
    }
    return abi ?? 0
  }

  mutating func text(_ member: String) -> String {
    guard let value = members[member] else { return "" }
    guard let text = value.string, text.utf8.count <= Self.textLimit,
      !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else {
      fail(
        .manifestText, "\(member): \(found(value))",
        "text of at most \(Self.textLimit) bytes without control characters")
      return ""
    }
    return text
  }

  mutating func names(_ member: String, besides own: String) -> [String] {
    list(member, needed: "names of other plugins, each once") {
      PluginManifest.isName($0) && $0 != own
    }
  }

  mutating func extensions() -> [String] {
    list("extensions", needed: "ids of extensions such as \"\(KEMON_EXT_CONFIG)\", each once") {
      PluginManifest.isExtension($0)
    }
  }

  mutating func capabilities() -> [String] {
    let texts = list("capabilities", needed: "names of capabilities, each once") { _ in true }
    for text in texts where !Capability.isKnown(text) {
      fail(
        .manifestList, "capabilities: " + JSONValue.string(String(text.prefix(64))).text,
        Capability.needed(insteadOf: text))
    }
    return Set(texts).union(Capability.usual).sorted()
  }

  mutating func isolation() -> PluginIsolation {
    guard let value = members["isolation"] else { return .any }
    if let isolation = value.string.flatMap(PluginIsolation.init(rawValue:)) { return isolation }
    fail(
      .manifestIsolation, found(value),
      "one of \(PluginIsolation.allCases.map(\.rawValue).joined(separator: ", "))")
    return .any
  }

  mutating func stateVersion() -> Int64 {
    guard let value = members["state"] else { return 0 }
    if let version = value.integer, (1...Int64(UInt32.max)).contains(version) { return version }
    fail(.manifestState, found(value), "an integer from 1 to \(UInt32.max)")
    return 0
  }

  mutating func emits() -> [String] {
    list("emits", needed: "names of kinds such as \"my-guard.alert\", each once") {
      PluginManifest.isKind($0)
    }
  }

  mutating func configuration() -> JSONSchema? {
    guard let value = members["config"] else { return nil }
    do throws(SchemaFailure) {
      let schema = try JSONSchema(value)
      if schema.admitsObjects { return schema }
      fail(.manifestConfig, "a schema that no object keeps", "one for an object")
    } catch {
      for problem in error.problems {
        let path = problem.path.isEmpty ? "config" : "config.\(problem.path)"
        fail(.manifestConfig, "\(path): \(problem.found)", problem.needed)
      }
    }
    return nil
  }

  /// A misspelled "need" must not be taken for the absence of needs.
  mutating func refuseUnknown() {
    for member in members.keys.sorted() where !Self.known.contains(member) {
      let near = NearNames.of(member, among: Self.known)
      fail(
        .manifestMember, JSONValue.string(String(member.prefix(64))).text,
        near.isEmpty
          ? "one of \(Self.known.joined(separator: ", "))"
          : "perhaps \(near.joined(separator: ", "))")
    }
  }

  private mutating func list(
    _ member: String, needed: String, where isGood: (String) -> Bool
  ) -> [String] {
    guard let value = members[member] else { return [] }
    guard let elements = value.elements, elements.count <= Self.listLimit else {
      fail(
        .manifestList, "\(member): \(found(value))",
        "an array of at most \(Self.listLimit) \(needed)")
      return []
    }
    var texts: [String] = []
    for element in elements {
      guard let text = element.string, isGood(text), !texts.contains(text) else {
        fail(.manifestList, "\(member): \(found(element))", needed)
        continue
      }
      texts.append(text)
    }
    return texts
  }

  private mutating func fail(_ rule: PluginProblem.Rule, _ found: String, _ needed: String) {
    broken.append(BrokenRule(rule: rule, found: found, needed: needed))
  }

  /// A value for messages, never long.
  private func found(_ value: JSONValue?) -> String {
    guard let value else { return "nothing" }
    let text = value.text
    return text.utf8.count <= 80 ? text : String(text.prefix(77)) + "…"
  }
}
