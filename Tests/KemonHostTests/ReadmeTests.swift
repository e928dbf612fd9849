// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// What README tells a newcomer to type.
@Suite struct ReadmeTests {
  private static func readme(_ name: String = "README.md") throws -> String {
    try String(contentsOf: Checkout.root.appending(path: name), encoding: .utf8)
  }

  /// The blocks of code below a heading: language and text.
  private func blocks(below heading: String) throws -> [(language: String, text: String)] {
    let section = try #require(
      try Self.readme().components(separatedBy: "\n## ").first { $0.hasPrefix(heading + "\n") })
    return section.components(separatedBy: "```").enumerated()
      .filter { !$0.offset.isMultiple(of: 2) }
      .map { block in
        let lines = block.element.split(
          separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(lines[0]), String(lines[1]))
      }
  }

  @Test(.enabled(if: Command.exists("cc"), "needs cc"))
  func `the first plugin builds, is looked at and denies as printed`() throws {
    let blocks = try blocks(below: "Your first plugin in ten minutes")
    let source = try #require(blocks.first { $0.language == "c" })
    let script = try #require(blocks.first { $0.language == "" })
    let folder = try ScratchFolder()
    try folder.write(source.text, to: "no-etc.c")
    let files = FileManager.default
    for name in ["plugin-sdk", "Tests"] {
      try files.createSymbolicLink(
        at: folder.url.appending(path: name),
        withDestinationURL: Checkout.root.appending(path: name))
    }
    try files.createDirectory(
      at: folder.url.appending(path: ".build"), withIntermediateDirectories: false)
    try files.createSymbolicLink(
      at: folder.url.appending(path: ".build/debug"), withDestinationURL: Products.folder)
    let result = try #require(Command("bash")).run([
      "-euo", "pipefail", "-c", "umask 022; cd '\(folder.path)'; " + script.text,
    ])
    #expect(result.status == 0, "\(result.text)")
    #expect(!result.errors.contains("warning"), "\(result.errors)")
    #expect(result.errors.contains("events    14 replayed  denied 1\n"), "\(result.errors)")
  }

  @Test func `the transcript is the one that the tests hold the program to`() throws {
    let blocks = try blocks(below: "Two commands")
    #expect(blocks.last?.text == (try Checkout.golden("dialect-2018-mandiant-monitor.txt")))
  }

  @Test func `the session of its page can be played, and names the releases that there are`()
    throws
  {
    let page = try Self.readme("docs/sessions.md")
    let json = try #require(page.components(separatedBy: "```json\n").last)
    let host = try Host(plugins: ["kext-guard"])
    let text = json.components(separatedBy: "```")[0]
    let session = try host.scratch.write(text, to: "session.json")
    let loaded = try host.run("--session", session, "--plugins", host.plugins)
    #expect(loaded.status == 0, "\(loaded.errors)")
    #expect(
      loaded.errors.contains("com.example.family loaded, com.example.driver loaded"),
      "\(loaded.errors)")
    let denied = try host.run(
      "--session", session, "--plugins", host.plugins, "--set",
      #"kext-guard.deny=[{"id": "com.example.family"}]"#)
    #expect(denied.errors.contains("com.example.family failed (0xdc008017)"), "\(denied.errors)")
    #expect(denied.errors.contains("com.example.driver failed"), "\(denied.errors)")
    let usage = try host.run("--macos", "1").errors
    let releases = page.split(separator: "\n").first { $0.hasPrefix("| `release`") }?
      .matches(of: /`([^`]*)`/).map { String($0.1) }.filter { $0.hasPrefix("10.") }
    #expect(usage.contains((releases ?? []).joined(separator: ", ")), "\(usage)")
  }

  @Test(.enabled(if: Command.exists("sqlite3"), "needs sqlite3"))
  func `the query of the page on recordings finds events`() throws {
    let page = try Self.readme("docs/recordings.md")
    let script = page.components(separatedBy: "```")[1].dropFirst("sh\n".count)
    let host = try Host(plugins: [])
    let trace = Checkout.fixture("Recordings/sysdig.jsonl").path
    let file = host.scratch.file("httpd.kemon")
    _ = try host.run("trace", "import", "--from", "sysdig-json", trace, "-o", file)
    let result = try #require(Command("bash"))
      .run(["-euc", "cd '\(host.scratch.path)'; " + script])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.hasPrefix("file.open|pre|900|abstain\n"), "\(result.text)")
  }

  @Test func `every verb of the table exists`() throws {
    let section = try #require(
      try Self.readme().components(separatedBy: "\n## ").first { $0.hasPrefix("Verbs\n") })
    // The names in code of the first column, up to the first argument or option.
    var verbs: [[String]] = []
    for line in section.split(separator: "\n") where line.hasPrefix("| `") {
      let column = line.split(separator: "|")[0]
      for code in column.split(separator: "`").enumerated() where !code.offset.isMultiple(of: 2) {
        let words = code.element.replacing("kemon-host ", with: "").replacing("[run]", with: "run")
          .split(separator: " ")
        let names = words.prefix { word in word.allSatisfy { $0.isLowercase } }
        verbs.append(names.map(String.init))
      }
    }
    #expect(verbs.count >= 10)
    for verb in verbs {
      let result = try Command(built: "kemon-host").run(verb + ["--help"])
      #expect(result.status == 0, "\(verb)")
      #expect(
        result.output.contains("USAGE: kemon-host \(verb.joined(separator: " "))"), "\(verb)")
    }
  }
}
