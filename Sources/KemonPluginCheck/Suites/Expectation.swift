// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonText

/// What is decided on the events of a test: those on which something was decided, by their number.
struct Expectation {
  /// How many events there are.
  let events: Int
  /// Members of each decided event, by its number from 1.
  let decided: [Int: [String: JSONValue]]

  /// What was decided.
  init(events: Int, decided: [Int: [String: JSONValue]]) {
    self.events = events
    self.decided = decided
  }

  /// Reads `expected.json`.
  init(_ value: JSONValue, file: String) throws(SuiteError) {
    guard let events = value.value(at: "events")?.integer,
      let rows = value.value(at: "decided")?.elements
    else { throw SuiteError(file, "needed are \"events\", a number, and \"decided\", a list") }
    var decided: [Int: [String: JSONValue]] = [:]
    for (index, row) in rows.enumerated() {
      guard var members = row.members, let number = members.removeValue(forKey: "event")?.integer
      else { throw SuiteError(file, "decided[\(index)]: needed is an object with \"event\"") }
      for name in members.keys.sorted() where !Self.names.contains(name) {
        let near = NearNames.of(name, among: Self.names)
        throw SuiteError(
          file,
          "decided[\(index)]: \"\(name)\" is unknown"
            + (near.isEmpty ? "" : "; near: " + near.joined(separator: ", ")))
      }
      decided[Int(number)] = members
    }
    self.events = Int(events)
    self.decided = decided
  }

  private static let names = [
    "kind", "phase", "verdict", "errno", "reason", "mask", "result", "votes",
  ]

  /// Where what was decided differs from this; members that are not mentioned are free.
  func differences(to actual: Expectation) -> [String] {
    var differences: [String] = []
    if events != actual.events {
      differences.append("\(actual.events) events, expected are \(events)")
    }
    for number in Set(decided.keys).union(actual.decided.keys).sorted() {
      guard let wanted = decided[number] else {
        let found = JSONValue.object(actual.decided[number] ?? [:]).text
        differences.append("event \(number): \(found), expected is no decision")
        continue
      }
      guard let found = actual.decided[number] else {
        differences.append(
          "event \(number): no decision, expected is \(JSONValue.object(wanted).text)")
        continue
      }
      for (name, value) in wanted.sorted(by: { $0.key < $1.key }) where found[name] != value {
        differences.append(
          "event \(number): \(name) is \(found[name]?.text ?? "absent"), expected is \(value.text)")
      }
    }
    return differences
  }

  /// `expected.json`, an event on each line.
  var text: String {
    let rows = decided.sorted { $0.key < $1.key }
      .map { number, members in
        let rest = members.sorted { Self.rank($0.key) < Self.rank($1.key) }
          .map { "\"\($0.key)\": \($0.value.text)" }
        return "    {" + (["\"event\": \(number)"] + rest).joined(separator: ", ") + "}"
      }
    let list = rows.isEmpty ? "[]" : "[\n\(rows.joined(separator: ",\n"))\n  ]"
    return "{\n  \"events\": \(events),\n  \"decided\": \(list)\n}\n"
  }

  private static func rank(_ name: String) -> Int { names.firstIndex(of: name) ?? names.count }
}
