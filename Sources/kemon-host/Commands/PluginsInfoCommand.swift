// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonPluginHost
import KemonText

struct PluginsInfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Show one plugin's manifest, hash, libraries and problems.")

  @Argument(help: "The plugin's file.", completion: .file(extensions: ["so"]))
  var file: String

  @OptionGroup var trust: TrustOptions

  @Option(name: [.customShort("o"), .long], help: "How it is written.")
  var output: ReportFormat = .text

  func run() throws {
    let inspection = PluginScanner.inspect(file, trust: try trust.policy())
    switch output {
    case .json: Console.data(inspection.json.text)
    case .text:
      Console.data(Self.text(inspection))
      for problem in inspection.problems { Console.warning(problem.description) }
    }
    if !inspection.problems.isEmpty { throw ExitStatus.badData }
  }

  private static func text(_ inspection: PluginInspection) -> String {
    let manifest = inspection.manifest
    let list = { (items: [String]) in items.isEmpty ? "-" : items.joined(separator: ", ") }
    let rows: [(String, String)] = [
      ("file", inspection.file), ("size", inspection.size.map { "\($0.grouped) bytes" } ?? "-"),
      ("sha256", inspection.sha256 ?? "-"), ("name", manifest?.name ?? "-"),
      ("version", manifest?.version ?? "-"), ("abi", manifest.map { String($0.abi) } ?? "-"),
      ("about", manifest?.description ?? "-"), ("license", manifest?.license ?? "-"),
      ("needs", list(manifest?.needs ?? [])), ("after", list(manifest?.after ?? [])),
      ("extensions", list(manifest?.extensions ?? [])),
      ("capabilities", list(manifest?.capabilities ?? [])),
      ("isolation", manifest?.isolation.rawValue ?? "-"),
      ("state", manifest.map { $0.stateVersion > 0 ? "version \($0.stateVersion)" : "-" } ?? "-"),
      ("emits", list(manifest?.emits ?? [])),
      ("config", config(manifest?.configuration)), ("libraries", list(inspection.neededLibraries)),
      ("runpath", list(inspection.runPaths)),
      ("check", inspection.problems.isEmpty ? "ok" : "refused"),
    ]
    return rows.map { $0 + String(repeating: " ", count: margin - $0.count) + $1 }
      .joined(separator: "\n")
  }

  private static let margin = 14

  /// The schema, its lines below each other.
  private static func config(_ schema: JSONSchema?) -> String {
    schema?.value.indentedText.replacing("\n", with: "\n" + String(repeating: " ", count: margin))
      ?? "-"
  }
}
