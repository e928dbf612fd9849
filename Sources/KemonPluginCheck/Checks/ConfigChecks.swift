// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonPluginTesting

/// What operators write, mistakes included.
enum ConfigChecks {
  static let all = [hostile, reconfigure]

  static let hostile = Check(
    "config.hostile", "a wrong configuration is refused with a reason, or does no harm",
    needs: ["lifecycle.create"]
  ) { subject throws(Finding) in
    var refused = 0
    let configurations = configurations(subject)
    for config in configurations {
      let probe = try Probe(try subject.load(), subject, config: config)
      if let reason = probe.tryToCreate() {
        guard !reason.isEmpty else {
          throw .failed("create returns NULL without a reason for \(shorten(config.json))")
        }
        refused += 1
        continue
      }
      try probe.start()
      probe.end()
    }
    return "\(refused) of \(configurations.count) refused"
  }

  static let reconfigure = Check(
    "config.reconfigure", "a configuration that is refused changes nothing",
    needs: ["semantics.repeat"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    let offers = probe.offers(4)
    let before = try probe.ask(offers)
    for config in configurations(subject) {
      guard let status = probe.reconfigure(config) else {
        throw .skipped("the plugin has no reconfigure")
      }
      if status == KEMON_OK {
        guard probe.reconfigure(subject.config) == KEMON_OK else {
          throw .failed("refuses the configuration that it was created with")
        }
      }
      let after = try probe.ask(offers)
      guard zip(before, after).allSatisfy({ $0.decides(as: $1) }) else {
        throw .failed(
          status == KEMON_OK
            ? "its first configuration does not bring its first answers back"
            : "answers otherwise after it has refused \(shorten(config.json))")
      }
    }
    return nil
  }

  // MARK: Parts

  /// Each member that the plugin may look for, with values of every type.
  private static func configurations(_ subject: Subject) -> [ConfigValue] {
    let odd: [ConfigValue] = [
      nil, true, -1, .integer(.max), .number(1e300), "",
      .string(String(repeating: "x", count: 1 << 20)),
      [], [nil], [1, "a", [:]], [[:]], [["a": 1]], [:], ["a": ["a": []]], "\u{0}\u{7F}\u{2028}",
    ]
    let members = subject.words().filter(isName)
    var all: [ConfigValue] = [[:], ["kemon-check": 1]]
    for member in members.prefix(24) {
      for value in odd {
        var config = subject.config
        if case .object(var known) = config {
          known[member] = value
          config = .object(known)
        }
        all.append(config)
      }
    }
    return all
  }

  /// Whether a text may be the name of a member.
  private static func isName(_ text: String) -> Bool {
    text.utf8.count <= 32
      && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F || $0 == 0x2D }
  }

  private static func shorten(_ json: String) -> String {
    json.utf8.count <= 120 ? json : "\(json.prefix(120))…"
  }
}
