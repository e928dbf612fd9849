// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// The documentation of KemonPluginKit: what it shows compiles and runs, what it names is there.
@Suite struct CatalogTests {
  private static let modules = ["KemonPluginKit", "KemonEvents", "KemonPluginTesting"]

  private func text(_ page: String) throws -> String {
    try String(contentsOf: SwiftSnippets.catalog.appending(path: page), encoding: .utf8)
  }

  private func blocks(_ page: String) throws -> [String] {
    try SwiftSnippets.blocks(of: SwiftSnippets.catalog.appending(path: page))
  }

  @Test(
    .enabled(if: Command.exists("swiftc"), "needs swiftc"), arguments: SwiftSnippets.catalogPages)
  func `every snippet compiles`(page: String) throws {
    for block in try blocks(page) {
      let result = try #require(try SwiftSnippets.check(block))
      #expect(result.status == 0, "\(block)\n\(result.text)")
    }
  }

  @Test(.enabled(if: Command.exists("swiftc"), "needs swiftc"))
  func `the example of the protocol compiles`() throws {
    let source = Checkout.root.appending(path: "Sources/KemonPluginKit/KemonPlugin.swift")
    let comment = try String(contentsOf: source, encoding: .utf8).split(separator: "\n")
      .filter { $0.hasPrefix("///") }.map { $0.dropFirst(4) }.joined(separator: "\n")
    let example = try #require(
      comment.components(separatedBy: "```swift\n").last?.components(separatedBy: "\n```").first)
    let result = try #require(try SwiftSnippets.check("import KemonPluginKit\n" + example))
    #expect(result.status == 0, "\(example)\n\(result.text)")
  }

  @Test func `the first plugin is the one that plugins new makes`() throws {
    let source = Checkout.sdk.appending(path: "templates/swift/Sources/MyGuard/Plugin.swift")
    let template = try String(contentsOf: source, encoding: .utf8)
    let shown = try #require(try blocks("FirstPlugin.md").first)
    #expect(template == "// SPDX-License-Identifier: Apache-2.0\n\(shown)\n")
  }

  @Test(.enabled(if: SwiftSnippets.canBeLinked, "needs swiftc, and no sanitizer"))
  func `the unit test passes`() throws {
    let runner = """

      @main enum Runner {
        static func main() async { await Testing.__swiftPMEntryPoint() as Never }
      }
      """
    let folder = try ScratchFolder()
    let program = folder.file("tests")
    let test = try #require(try blocks("Testing.md").first)
    let built = try #require(
      try SwiftSnippets.build(
        test + runner, to: program, with: Self.modules + ["KemonPlatform"], ["-parse-as-library"]))
    #expect(built.status == 0, "\(built.text)")
    let result = try Command(path: program).run(["--testing-library", "swift-testing"])
    #expect(result.status == 0 && result.text.contains("1 test"), "\(result.text)")
  }

  @Test(arguments: SwiftSnippets.catalogPages)
  func `the files that a page names are there`(page: String) throws {
    for name in try text(page).matches(of: /`((docs|plugin-sdk|Sources|Tests)\/[^`]*)`/) {
      // These two are in the new plugin's folder.
      if name.1.hasPrefix("Sources/MyGuard/") || name.1.hasPrefix("Sources/Manifest/") { continue }
      let file = Checkout.root.appending(path: String(name.1)).path
      #expect(FileManager.default.fileExists(atPath: file), "\(name.1)")
    }
  }

  @Test(.enabled(if: Command.exists("docc"), "needs docc of the toolchain"))
  func `docc has nothing to say against it, and every public type has its place`() throws {
    let folder = try ScratchFolder()
    let script = Checkout.root.appending(path: "scripts/docs").path
    let result = try Command(path: script)
      .run([Products.folder.appending(path: "Modules").path, folder.file("docs")])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.text)")
    for module in Self.modules {
      let file = folder.url.appending(path: "docs/data/documentation/\(module.lowercased()).json")
      let page = try JSONDecoder().decode(ModulePage.self, from: Data(contentsOf: file))
      #expect(page.topicSections.count >= 3)
      for section in page.topicSections {
        // docc makes such a section of what no page has put anywhere.
        #expect(section.generated != true, "\(module): \(section.identifiers)")
      }
    }
  }

  /// What this needs to know of a page that docc has made.
  private struct ModulePage: Decodable {
    struct Section: Decodable {
      let identifiers: [String]
      let generated: Bool?
    }

    let topicSections: [Section]
  }
}
