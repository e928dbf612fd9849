// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonPluginHost

/// What docs/plugins/typed.md shows is tried.
@Suite struct TypedDocumentationTests {
  private static func text(_ path: String) throws -> String {
    try String(contentsOf: Checkout.root.appending(path: path), encoding: .utf8)
  }

  /// The blocks of a language, in order.
  private static func blocks(_ language: String) throws -> [String] {
    let parts = try text("docs/plugins/typed.md").components(separatedBy: "\n```")
    return parts.compactMap { part in
      let lines = part.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
      return lines.count == 2 && lines[0] == language ? String(lines[1]) : nil
    }
  }

  @Test(arguments: [
    ("c", "cc", "c11", 3), ("cpp", "c++", "c++17", 1), ("cpp20", "c++", "c++20", 1),
  ])
  func `every piece of C and C++ compiles`(
    language: String, compiler: String, standard: String, count: Int
  ) throws {
    let blocks = try Self.blocks(language)
    #expect(blocks.count == count)
    let isCXX = compiler == "c++"
    let head =
      isCXX
      ? "#include <cerrno>\n#include <kemon/kemon.h>\n#include <kemon/typed.hpp>\n"
      : "#include <errno.h>\n#include <kemon/kemon.h>\n"
    let folder = try ScratchFolder()
    for block in blocks {
      let source = try folder.write(head + block, to: isCXX ? "block.cc" : "block.c")
      let result = try #require(Command(compiler)).run([
        "-std=\(standard)", "-Wall", "-Wextra", "-Wno-unused", "-Werror", "-fsyntax-only",
        "-I\(Checkout.sdk.appending(path: "include").path)", source,
      ])
      #expect(result.status == 0, "\(result.text)")
    }
  }

  /// A test of the kit has it, and so it is compiled.
  @Test func `the piece of Swift is that of a test`() throws {
    let block = try #require(try Self.blocks("swift").first)
    let test = try Self.text("Tests/KemonPluginKitTests/TypedHandlerTests.swift")
    let lines = { (text: String) in
      text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        .joined(separator: "\n")
    }
    #expect(lines(test).contains(lines(block)))
  }

  @Test(arguments: [
    ("cpp", "examples/typed-cxx/plugin.cc"),
    ("swift", "examples/typed-swift/Sources/Typed/Plugin.swift"),
  ])
  func `what the SDK's README shows is in the examples`(language: String, example: String) throws {
    let code = try Self.text("plugin-sdk/\(example)").filter { !$0.isWhitespace }
    let blocks = try Self.text("plugin-sdk/README.md").components(separatedBy: "```\(language)\n")
    let block = try #require(blocks.dropFirst().first { $0.contains("flags & 3") })
    // The first call's own arguments are laid out in another way.
    let body = block.components(separatedBy: "```")[0].split(separator: "\n").dropFirst(2)
      .filter { !$0.allSatisfy(\.isWhitespace) }
    #expect(body.count >= 3)
    for line in body { #expect(code.contains(line.filter { !$0.isWhitespace }), "\(line)") }
  }

  @Test func `the messages are what the host says`() throws {
    let rows = try Self.text("docs/plugins/typed.md").split(separator: "\n")
      .compactMap { $0.wholeMatch(of: /\| `([^`]*)` \| (\d+) \| `(.*)` \|/) }
    #expect(rows.count == 4)
    for row in rows {
      let error = #expect(throws: SignatureError.self) {
        let signature = try TypedSignature(parsing: String(row.1))
        _ = try FieldSchema(EventKind(KEMON_KIND_FILE_OPEN_PRE)).resolve(signature)
      }
      #expect(error?.message == String(row.3))
      #expect(error.map { "\($0.column)" } == String(row.2))
    }
  }

  @Test func `the description is what the host writes`() throws {
    let block = try #require(try Self.blocks("json").first)
    let written = try TypedDescription(
      kind: "file.open", signature: "path:z to?:z", operations: nil
    ).text
    let row = #"{"kind": "file.open", "matched": [{"is": "str", "name": "path", "type": "z"}],"#
    #expect(block.contains(row) && written.contains(row))
    let end = #""lane": "fast", "signature": "path:z to?:z"}"#
    #expect(block.contains(end) && written.hasSuffix(end))
  }
}
