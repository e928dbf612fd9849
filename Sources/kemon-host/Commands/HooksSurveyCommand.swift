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

      The tiers: window (the first instructions are moved), padding (a short function and the padding behind it), \
      copy (the whole function is copied), cave (a short jump to a long one in padding nearby), refused. Names of \
      one address are each other's aliases: a hook of one is a hook of all. A function that only jumps to another \
      one is hooked itself, and its target is told.

      --output json writes an array of {name, address, size, tier, reason}, with aliases (names) and target \
      {address, name} only where there are some. Addresses count from the beginning of the library.

      Exits with 65 for what is no shared library for this processor or is damaged, with 66 when the file can not \
      be read.
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
    var table = Table("ADDRESS", "SIZE", "TIER", "NAME", "REMARKS")
    for export in survey.exports {
      table.add(
        "0x" + String(export.address, radix: 16), String(export.size), export.tierName,
        export.name, export.remarks)
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

  /// One element of the array that `--output json` prints; aliases and target only where there are some.
  fileprivate var json: JSONValue {
    var members: [String: JSONValue] = [
      "name": .string(name), "address": .integer(Int64(address)), "size": .integer(Int64(size)),
      "tier": .string(tierName), "reason": reason.map { .string($0) } ?? .null,
    ]
    if !aliases.isEmpty { members["aliases"] = .array(aliases.map { .string($0) }) }
    if let target {
      members["target"] = .object([
        "address": .integer(Int64(target.address)),
        "name": target.name.map { .string($0) } ?? .null,
      ])
    }
    return .object(members)
  }

  /// Why it is refused, what else it is called, and where it leads.
  fileprivate var remarks: String {
    var parts = reason.map { [$0] } ?? []
    if let target {
      parts.append("jumps to " + (target.name ?? "0x" + String(target.address, radix: 16)))
    }
    if !aliases.isEmpty { parts.append("also " + aliases.joined(separator: ", ")) }
    return parts.joined(separator: "; ")
  }
}
