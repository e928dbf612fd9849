// SPDX-License-Identifier: Apache-2.0

import KemonText

/// What a client of the control socket asks for; one line of JSON.
enum ControlRequest: Equatable {
  case version
  case list
  case reload(String, configuration: JSONValue?, trialEvents: Int)
  case reconfigure(String, JSONValue)
  case enable(String)
  case disable(String)
  case setMode(String, VotingMode)
  case reset(String)

  /// The longest line, with its newline.
  static let sizeLimit = 1 << 20
  /// More than anybody wants to watch.
  static let trialLimit = 1_000_000_000

  static let verbs = [
    "version", "list", "reload", "reconfigure", "enable", "disable", "set-mode",
    "reset",
  ]

  /// Reads a request; members that are unknown are refused, as they may be misspelled.
  init(parsing line: [UInt8]) throws(ControlRefusal) {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: line)
    } catch {
      throw ControlRefusal("control.json", "\(error)")
    }
    guard let members = value.members else {
      throw ControlRefusal("control.json", "found \(value.typeName), needed is an object")
    }
    var reader = MemberReader(members: members)
    let verb = try reader.text("do")
    switch verb {
    case "version": self = .version
    case "list": self = .list
    case "reload":
      let plugin = try reader.text("plugin")
      self = .reload(
        plugin, configuration: try reader.object("config"),
        trialEvents: try reader.count("trial_events") ?? PluginHost.trialEvents)
    case "reconfigure":
      let plugin = try reader.text("plugin")
      guard let configuration = try reader.object("config") else {
        throw ControlRefusal("control.member", "needed is \"config\", an object")
      }
      self = .reconfigure(plugin, configuration)
    case "enable": self = .enable(try reader.text("plugin"))
    case "disable": self = .disable(try reader.text("plugin"))
    case "reset": self = .reset(try reader.text("plugin"))
    case "set-mode":
      let plugin = try reader.text("plugin")
      let mode = try reader.text("mode")
      guard let known = VotingMode(rawValue: mode) else {
        let modes = VotingMode.allCases.map(\.rawValue).joined(separator: " or ")
        throw ControlRefusal("control.member", "mode \"\(mode)\": needed is \(modes)")
      }
      self = .setMode(plugin, known)
    default:
      let near = NearNames.of(verb, among: Self.verbs)
      throw ControlRefusal(
        "control.verb",
        "found \"\(verb)\", needed is one of \((near.isEmpty ? Self.verbs : near).joined(separator: ", "))"
      )
    }
    try reader.refuseUnknown()
  }

  /// Takes members one by one.
  private struct MemberReader {
    let members: [String: JSONValue]
    var known: Set<String> = []

    mutating func text(_ name: String) throws(ControlRefusal) -> String {
      known.insert(name)
      guard let text = members[name]?.string else {
        throw ControlRefusal("control.member", "needed is \"\(name)\", a text")
      }
      return text
    }

    mutating func object(_ name: String) throws(ControlRefusal) -> JSONValue? {
      known.insert(name)
      guard let value = members[name] else { return nil }
      guard value.members != nil else {
        throw ControlRefusal(
          "control.member", "\(name): found \(value.typeName), needed is an object")
      }
      return value
    }

    mutating func count(_ name: String) throws(ControlRefusal) -> Int? {
      known.insert(name)
      guard let value = members[name] else { return nil }
      guard let number = value.integer, (0...Int64(ControlRequest.trialLimit)).contains(number)
      else {
        throw ControlRefusal(
          "control.member",
          "\(name): found \(value.text), needed is 0 to \(ControlRequest.trialLimit)")
      }
      return Int(number)
    }

    func refuseUnknown() throws(ControlRefusal) {
      guard let unknown = members.keys.filter({ !known.contains($0) }).min() else { return }
      throw ControlRefusal("control.member", "\"\(unknown)\" is unknown")
    }
  }
}

/// Why a request is refused: the id of a rule, and words.
struct ControlRefusal: Error, Equatable {
  let rule: String
  let message: String

  init(_ rule: String, _ message: String) {
    self.rule = rule
    self.message = PrintableText.escape(message)
  }

  init(_ problem: PluginProblem) {
    rule = problem.rule.id
    message = problem.description
  }
}
