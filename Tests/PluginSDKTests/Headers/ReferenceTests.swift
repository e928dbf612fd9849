// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents
import KemonTestSupport
import Testing

/// docs/plugins: what is generated is up to date, and what is shown compiles.
@Suite struct ReferenceTests {
  private static let docs = Checkout.root.appending(path: "docs/plugins")

  @Test(.enabled(if: Command.exists("python3"), "needs python3"))
  func `the reference says what the headers say`() throws {
    let script = Checkout.root.appending(path: "scripts/update-reference").path
    let result = try Command(path: script).run(["--check"])
    #expect(result.status == 0, "\(result.text)")
  }

  @Test func `the reference has every kind and every field`() throws {
    let text = try String(contentsOf: Self.docs.appending(path: "reference.md"), encoding: .utf8)
    for kind in EventKind.allKinds {
      let info = try #require(kind.info)
      #expect(text.contains("| `\(info.name)` | \(info.phase.name) |"))
      for field in info.fields {
        #expect(text.contains("| `\(field.name)` | \(field.type.rawValue) |"))
      }
    }
  }

  /// The blocks of a language in the guide.
  private func blocks(_ language: String) throws -> [String] {
    let text = try String(contentsOf: Self.docs.appending(path: "guide.md"), encoding: .utf8)
    return text.components(separatedBy: "```\(language)\n").dropFirst()
      .compactMap { $0.components(separatedBy: "\n```").first }
  }

  private func compile(
    _ compiler: String, _ flags: [String], _ text: String, _ file: String
  ) throws {
    let folder = try ScratchFolder()
    let source = try folder.write(text, to: file)
    let include = { (name: String) in ["-I", Checkout.sdk.appending(path: name).path] }
    let result = try #require(Command(compiler))
      .run(flags + ["-fsyntax-only"] + include("include") + include("testing") + [source])
    #expect(result.status == 0, "\(text)\n\(result.text)")
  }

  @Test(.enabled(if: Command.exists("cc") && Command.exists("c++"), "needs cc and c++"))
  func `every snippet in C and C++ compiles`() throws {
    let inC = try blocks("c")
    #expect(inC.count >= 3)
    for text in inC {
      try compile(
        "cc", ["-std=c11", "-Wall", "-Wextra", "-Wno-unused-function", "-Werror"],
        "#include <errno.h>\n#include <kemon/kemon.h>\n" + text, "snippet.c")
    }
    for text in try blocks("cpp") {
      try compile(
        "c++", ["-std=c++17", "-Wall", "-Wextra", "-Werror"],
        "#include <cerrno>\n#include <kemon/plugin.hpp>\n" + text, "snippet.cc")
    }
  }

  @Test(.enabled(if: Command.exists("swiftc"), "needs swiftc"))
  func `every snippet in Swift compiles`() throws {
    for text in try SwiftSnippets.blocks(of: Self.docs.appending(path: "guide.md")) {
      let result = try #require(try SwiftSnippets.check("import KemonPluginKit\n" + text))
      #expect(result.status == 0, "\(text)\n\(result.text)")
    }
  }
}
