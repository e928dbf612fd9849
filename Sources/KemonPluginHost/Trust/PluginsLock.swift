// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonText

/// The plugins of a folder that an operator has looked at: `plugins.lock`.
///
/// ```json
/// {"version": 1, "plugins": {"kext-guard": {
///   "sha256": "…", "capabilities": ["vote"], "mode": "enforce", "tier": "enforce", "priority": 0}}}
/// ```
public struct PluginsLock: Sendable, Equatable {
  /// The name of the file in the plugins' folder.
  public static let fileName = "plugins.lock"
  /// The version of the format.
  static let version: Int64 = 1
  /// More than any lock has.
  static let sizeLimit = 1 << 20

  /// A plugin that was looked at.
  public struct Entry: Sendable, Equatable {
    /// The hash of the only file that may have the name; nil when any file may that ``signer`` has signed.
    public var sha256: String?
    /// The hash of the `kemon.json` beside it; nil for a library, which has its manifest inside.
    public var manifest: String?
    /// Who must have signed the file; nil when nobody must.
    public var signer: MinisignPublicKey?
    /// What the plugin may do.
    public var grant: PluginGrant
  }

  /// The plugins by their names.
  public var plugins: [String: Entry] = [:]

  /// A lock of nothing.
  public init() {}

  /// Reads a lock's text.
  ///
  /// - Throws: everything that is wrong, with places.
  init(parsing bytes: [UInt8]) throws(LockError) {
    let node: JSONNode
    do {
      node = try JSONNode(parsing: bytes)
    } catch {
      throw LockError(problems: ["\(error)"])
    }
    // What a schema says needs not be said again.
    let problems = Self.schema?.problems(of: node.value) ?? []
    guard problems.isEmpty else {
      throw LockError(
        problems: problems.map { "\(TextPlace(of: node.offset(at: $0.path), in: bytes)): \($0)" })
    }
    var broken: [String] = []
    for (name, value) in node.value.value(at: "plugins")?.members ?? [:] {
      do throws(LockError) {
        plugins[name] = try Self.entry(name, value)
      } catch {
        let place = TextPlace(of: node.offset(at: "plugins.\(name)"), in: bytes)
        broken += error.problems.map { "\(place): plugins.\(name): \($0)" }
      }
    }
    guard broken.isEmpty else { throw LockError(problems: broken.sorted()) }
  }

  private static func entry(_ name: String, _ value: JSONValue) throws(LockError) -> Entry {
    guard PluginManifest.isName(name) else {
      throw LockError(problems: ["\"\(name)\" cannot be a plugin's name"])
    }
    let sha256 = try hash("sha256", of: value)
    let manifest = try hash("manifest", of: value)
    var signer: MinisignPublicKey?
    do throws(MinisignError) {
      signer = try value.value(at: "signer")?.string.map { line throws(MinisignError) in
        try MinisignPublicKey(base64: line)
      }
    } catch {
      throw LockError(problems: ["signer: \(error)"])
    }
    guard sha256 != nil || signer != nil else {
      throw LockError(problems: ["needed is sha256 or signer"])
    }
    let capabilities = value.value(at: "capabilities")?.elements?.compactMap(\.string)
    for capability in capabilities ?? [] where !Capability.isKnown(capability) {
      throw LockError(
        problems: [
          "capabilities: found \"\(capability)\", needed is "
            + Capability.needed(insteadOf: capability)
        ])
    }
    return Entry(
      sha256: sha256, manifest: manifest, signer: signer,
      grant: PluginGrant(
        capabilities: capabilities,
        mode: value.value(at: "mode")?.string.flatMap(VotingMode.init),
        tier: value.value(at: "tier")?.string == "guard" ? .guard : .enforce,
        priority: Int32(clamping: value.value(at: "priority")?.integer ?? 0)))
  }

  private static func hash(_ member: String, of value: JSONValue) throws(LockError) -> String? {
    guard let text = value.value(at: member)?.string else { return nil }
    guard text.utf8.count == 64, text.utf8.allSatisfy(isHexadecimal) else {
      throw LockError(problems: ["\(member): needed are 64 hexadecimal digits in lower case"])
    }
    return text
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }

  /// The text of a lock, which people may edit.
  var text: String {
    let entries = plugins.mapValues { entry -> JSONValue in
      var members: [String: JSONValue] = [
        "tier": .string(entry.grant.tier == .guard ? "guard" : "enforce"),
        "priority": .integer(Int64(entry.grant.priority)),
        "mode": .string((entry.grant.mode ?? .enforce).rawValue),
      ]
      members["sha256"] = entry.sha256.map { .string($0) }
      members["manifest"] = entry.manifest.map { .string($0) }
      members["signer"] = entry.signer.map { .string($0.base64) }
      members["capabilities"] = entry.grant.capabilities.map { .array($0.map { .string($0) }) }
      return .object(members)
    }
    return JSONValue.object(["version": .integer(Self.version), "plugins": .object(entries)])
      .indentedText + "\n"
  }

  private static let schema: JSONSchema? = {
    let text = """
      {"type": "object", "required": ["version", "plugins"], "additionalProperties": false, "properties": {
        "version": {"const": 1},
        "plugins": {"type": "object", "additionalProperties": {
          "type": "object", "additionalProperties": false, "properties": {
            "sha256": {"type": "string"}, "manifest": {"type": "string"}, "signer": {"type": "string"},
            "capabilities": {"type": "array", "uniqueItems": true, "items": {"type": "string"}},
            "mode": {"enum": ["enforce", "monitor"]}, "tier": {"enum": ["guard", "enforce"]},
            "priority": {"type": "integer", "minimum": -1000000, "maximum": 1000000}}}}}}
      """
    return (try? JSONValue(parsing: text)).flatMap { try? JSONSchema($0) }
  }()
}

/// Everything that is wrong with a lock.
struct LockError: Error, Equatable {
  let problems: [String]
}
