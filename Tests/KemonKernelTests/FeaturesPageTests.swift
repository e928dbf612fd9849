// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// The page that says what the model shows names tests that are there.
@Suite struct FeaturesPageTests {
  private static let page = "docs/kernel/features.md"

  /// The rows of the page's tables: the cells.
  private static func rows() throws -> [[String]] {
    let text = try String(contentsOf: Checkout.root.appending(path: page), encoding: .utf8)
    return text.split(separator: "\n").filter { $0.hasPrefix("| ") }.map { line in
      line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false)
        .map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }

  /// The names of all tests, without a feature's name in front.
  private static func tests() throws -> Set<String> {
    var names: Set<String> = []
    let folder = Checkout.root.appending(path: "Tests")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: /func `([^`]+)`\(/) {
        let name = String(match.1)
        names.insert(name)
        if let colon = name.range(of: ": ") { names.insert(String(name[colon.upperBound...])) }
      }
    }
    return names
  }

  @Test func `every feature of the original has its row`() throws {
    let table = try String(contentsOf: Checkout.fixture("Facts/features.tsv"), encoding: .utf8)
    let features = table.split(separator: "\n").dropFirst().compactMap {
      $0.split(separator: "\t").first.map(String.init)
    }
    #expect(features.count == 16)
    let rows = try Self.rows().map { $0[0] }
    #expect(Array(rows.drop { $0 != features[0] }.prefix(features.count)) == features)
  }

  @Test func `every test that the page names is there`() throws {
    let tests = try Self.tests()
    for row in try Self.rows() {
      // What stands between backticks and is a sentence; there is one configuration that looks like one.
      let quoted = row.dropFirst().flatMap { cell in
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
          .filter { $0.offset % 2 == 1 }.map { String($0.element) }
      }
      for name in quoted where name.contains(" ") && !name.hasPrefix("add com.apple.") {
        #expect(tests.contains(name), "\(row[0]): \(name)")
      }
    }
  }
}
