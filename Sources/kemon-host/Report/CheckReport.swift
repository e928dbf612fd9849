// SPDX-License-Identifier: Apache-2.0

import KemonPluginCheck
import KemonText

/// What `plugins check` prints.
struct CheckReport {
  let file: String
  let seed: UInt64
  let results: [CheckResult]
  let onlyFailed: Bool

  /// All checks, for `--list`.
  static func table(of checks: [Check], _ format: CheckFormat) -> String {
    if format == .json {
      return JSONValue.array(
        checks.map {
          .object([
            "id": .string($0.id), "group": .string($0.group.rawValue), "title": .string($0.title),
            "needs": .array($0.needs.map { .string($0) }),
          ])
        }
      ).text
    }
    var table = Table("CHECK", "WANTED")
    for check in checks { table.add(check.id, check.title) }
    return table.text
  }

  func text(as format: CheckFormat) -> String {
    switch format {
    case .text: plain
    case .json: json.text
    case .junit: junit
    }
  }

  private var shown: [CheckResult] {
    onlyFailed ? results.filter { $0.outcome == .failed } : results
  }

  private func count(_ outcome: CheckResult.Outcome) -> Int {
    results.count { $0.outcome == outcome }
  }

  // MARK: Text

  private var plain: String {
    var table = Table("CHECK", "RESULT", "TIME", "")
    for result in shown {
      table.add(
        result.check.id, result.outcome == .failed ? "FAILED" : result.outcome.rawValue,
        "\(result.milliseconds) ms", result.outcome == .failed ? result.check.title : result.message
      )
    }
    var lines = shown.isEmpty ? [] : table.lines
    for result in shown where result.outcome == .failed {
      lines.append("\(result.check.id): \(PrintableText.escape(result.message))")
    }
    lines.append(
      "\(file): \(count(.passed)) passed, \(count(.failed)) failed, \(count(.skipped)) skipped, "
        + "seed \(seed)")
    return lines.joined(separator: "\n")
  }

  // MARK: JSON

  private var json: JSONValue {
    .object([
      "file": .string(file), "seed": .integer(Int64(truncatingIfNeeded: seed)),
      "passed": .integer(Int64(count(.passed))), "failed": .integer(Int64(count(.failed))),
      "skipped": .integer(Int64(count(.skipped))),
      "checks": .array(
        shown.map { result in
          .object([
            "id": .string(result.check.id), "group": .string(result.check.group.rawValue),
            "title": .string(result.check.title), "outcome": .string(result.outcome.rawValue),
            "message": .string(result.message),
            "milliseconds": .integer(Int64(result.milliseconds)),
            "recording": result.recording.map { .string($0) } ?? .null,
          ])
        }),
    ])
  }

  // MARK: JUnit

  /// The XML that build servers read: a test case for each check.
  private var junit: String {
    let total = results.reduce(0) { $0 + $1.milliseconds }
    var lines = [
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
      "<testsuite name=\"\(Self.escape(file))\" tests=\"\(shown.count)\" "
        + "failures=\"\(count(.failed))\" skipped=\"\(onlyFailed ? 0 : count(.skipped))\" "
        + "time=\"\(Self.seconds(total))\">",
    ]
    for result in shown {
      let head =
        "  <testcase classname=\"\(result.check.group.rawValue)\" name=\"\(result.check.id)\" "
        + "time=\"\(Self.seconds(result.milliseconds))\""
      let message = Self.escape(result.message)
      switch result.outcome {
      case .passed: lines.append(head + "/>")
      case .failed:
        lines.append(
          head
            + "><failure message=\"\(message)\">\(Self.escape(result.check.title))</failure></testcase>"
        )
      case .skipped: lines.append(head + "><skipped message=\"\(message)\"/></testcase>")
      }
    }
    return (lines + ["</testsuite>"]).joined(separator: "\n")
  }

  private static func seconds(_ milliseconds: Int) -> String {
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
  }

  private static func escape(_ text: String) -> String {
    var escaped = ""
    for scalar in PrintableText.escape(text).unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
