// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// What README tells a newcomer to type.
@Suite struct ReadmeTests {
  private static func readme() throws -> String {
    try String(contentsOf: Checkout.root.appending(path: "README.md"), encoding: .utf8)
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
