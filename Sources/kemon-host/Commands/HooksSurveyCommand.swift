// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonHooks
import KemonPluginHost
import KemonText

struct HooksSurveyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "survey",
    abstract: "Say for each exported function of a library how it can be hooked, or why not.",
    discussion: """
      Nothing is changed. A library that this program has loaded itself (libc.so.6) is looked at where it is; \
      any other is mapped, and none of its code runs.
      """)

  @Argument(
    help: "The library's file, or the name of one that is loaded.", completion: .file())
  var library: String

  @Option(name: [.customShort("o"), .long], help: "How it is written.")
  var output: ReportFormat = .text

  func run() throws {
    let survey: LibrarySurvey
    do {
      survey = try LibrarySurvey(of: library)
    } catch {
      Console.error(error.description)
      throw error.code == .unreadable ? ExitStatus.inputMissing : ExitStatus.badData
    }
    switch output {
    case .text: Console.data(Self.text(survey))
    case .json: Console.data(JSONValue.array(survey.exports.map(\.json)).text)
    }
    Console.note(Self.summary(survey))
  }

  private static func text(_ survey: LibrarySurvey) -> String {
    var table = Table("ADDRESS", "SIZE", "TIER", "NAME", "REASON")
    for export in survey.exports {
      table.add(
        "0x" + String(export.address, radix: 16), String(export.size), export.tierName,
        export.name, export.reason ?? "")
    }
    return table.text
  }

  private static func summary(_ survey: LibrarySurvey) -> String {
    let tiers = Dictionary(grouping: survey.exports, by: \.tierName).mapValues(\.count)
    let counts = tiers.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.value.grouped) \($0.key)" }
    return "\(survey.path): \(survey.exports.count.grouped) functions: "
      + counts.joined(separator: ", ")
  }
}

extension LibrarySurvey.Export {
  /// The tier's name, `refused` where there is none.
  fileprivate var tierName: String { tier?.rawValue ?? "refused" }

  /// One element of the array that `--output json` prints.
  fileprivate var json: JSONValue {
    .object([
      "name": .string(name), "address": .integer(Int64(address)), "size": .integer(Int64(size)),
      "tier": .string(tierName), "reason": reason.map { .string($0) } ?? .null,
    ])
  }
}
