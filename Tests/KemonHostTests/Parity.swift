// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// The same plugin on the same recording, in every place where it can be: in the host's process, in one of its own, and
/// in `plugins test`.
struct Parity {
  /// The plugin's file, or the folder of a program.
  let plugin: String
  let name: String
  /// Members of its configuration by their paths, as JSON.
  let settings: [String: String]

  /// What was decided about an event, and by whose votes.
  struct Decision: Equatable {
    let event: Int
    let verdict: String
    let errno: String
    let votes: [String: String]
  }

  /// Plays the recording everywhere and expects the same decisions.
  ///
  /// - Returns: the decisions.
  @discardableResult
  func check(_ recording: String) throws -> [Decision] {
    let here = try replay(recording, isolate: "none")
    #expect(try replay(recording, isolate: "all") == here, "in a worker")
    let test = try ScratchFolder()
    #expect(try tested(recording, test, []) == here, "in plugins test")
    let isolated = try Command(built: "kemon-host")
      .run(["plugins", "test", test.path, "--plugin", plugin, "--isolate"])
    #expect(isolated.status == 0, "in plugins test --isolate: \(isolated.text)")
    return here
  }

  private func replay(_ recording: String, isolate: String) throws -> [Decision] {
    var arguments = [
      "replay", recording, "-q", "-o", "jsonl", "--plugins", plugin, "--isolate",
      isolate == "all" ? name : "none",
    ]
    if name != "event-log" { arguments += ["--plugins", Products.plugin("event-log")] }
    for (path, value) in settings { arguments += ["--set", "\(name).\(path)=\(value)"] }
    let result = try Command(built: "kemon-host").run(arguments)
    #expect(result.status == 0, "\(result.errors)")
    return try result.output.split(separator: "\n").enumerated()
      .compactMap { index, line in
        let event = try members(of: String(line))
        guard let verdict = event["verdict"] as? String, verdict != "abstain" else { return nil }
        var votes: [String: String] = [:]
        var errno = ""
        for vote in event["votes"] as? [[String: Any]] ?? [] {
          guard let handler = vote["handler"] as? String, let action = vote["action"] as? String,
            action != "abstain"
          else { continue }
          votes[handler] = action
          if action == verdict, let name = vote["errno"] as? String { errno = name }
        }
        return Decision(event: index + 1, verdict: verdict, errno: errno, votes: votes)
      }
  }

  private func tested(
    _ recording: String, _ scratch: ScratchFolder, _ arguments: [String]
  ) throws -> [Decision] {
    let test = scratch.url.appending(path: "tests/all")
    try FileManager.default.createDirectory(at: test, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: recording, toPath: test.appending(path: "recording.kemon").path)
    let config = settings.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
    try "{\(config)}".write(
      to: test.appending(path: "config.json"), atomically: true, encoding: .utf8)
    let result = try Command(built: "kemon-host")
      .run(["plugins", "test", scratch.path, "--plugin", plugin, "--update"] + arguments)
    #expect(result.status == 0, "\(result.text)")
    let expected = try members(
      of: String(contentsOf: test.appending(path: "expected.json"), encoding: .utf8))
    return (expected["decided"] as? [[String: Any]] ?? [])
      .map { row in
        Decision(
          event: row["event"] as? Int ?? 0, verdict: row["verdict"] as? String ?? "",
          errno: row["errno"] as? String ?? "", votes: row["votes"] as? [String: String] ?? [:])
      }
  }
}
