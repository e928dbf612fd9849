// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

/// The plugins in the documentation of KemonPluginKit: what authors copy has to work.
@Suite struct SwiftPagesTests {
  /// A plugin that a page shows.
  struct Shown: CustomTestStringConvertible, Sendable {
    let page: String
    let name: String
    let text: String
    var testDescription: String { "\(name) of \(page)" }
  }

  static let plugins = SwiftSnippets.catalogPages.filter { $0 != "Testing.md" }.flatMap { page in
    let blocks = try? SwiftSnippets.blocks(of: SwiftSnippets.catalog.appending(path: page))
    return (blocks ?? []).compactMap { text in
      text.firstMatch(of: /final class (\w+): KemonPlugin/).map {
        Shown(page: page, name: String($0.1), text: text)
      }
    }
  }

  /// What those decide that care about a user who opens /etc/shadow for writing.
  static let decided: [String: VerdictAction] = [
    "MyGuard": .deny, "ReadOnlyEtc": .deny, "NoWriting": .deny, "QuietEtc": .allow,
  ]

  /// An operation as one kernel has it, and a later one with another argument.
  private static let operations = OperationCatalog(
    names: ["mpo_vnode_check_signature"], running: nil
  ) { _ in
    [
      OperationCatalog.Prototype(
        names: ["flags"], types: ["int"], since: "macOS 10.12.6", isRunning: false),
      OperationCatalog.Prototype(
        names: ["signer_type", "flags"], types: ["unsigned int *", "int"], since: "macOS 10.13",
        isRunning: false),
    ]
  }

  @Test func `they are found`() {
    #expect(Self.plugins.count >= 22)
    #expect(Set(Self.plugins.map(\.name)).count == Self.plugins.count)
    #expect(Set(Self.decided.keys).isSubset(of: Self.plugins.map(\.name)))
  }

  @Test(
    .enabled(if: SwiftPlugin.canBeBuilt, "needs swiftc, cc, and no sanitizer"), arguments: plugins)
  func `the plugin of a page builds and runs`(plugin: Shown) throws {
    let test = try TestHost(operations: Self.operations)
    try SwiftPlugin.build(
      plugin.name, plugin.text, manifest: #""capabilities": ["modify:file.create.mode"]"#,
      in: test.folder)
    let configurations: JSONValue =
      plugin.name == "OnlyKnownUsers"
      ? .object(["onlyknownusers": .object(["users": .array([.integer(501)])])]) : .object([:])
    let report = test.load(configurations)
    #expect(report.problems.isEmpty, "\(report.problems) \(test.collector.logged)")
    #expect(report.loaded.count == 1)
    #expect(test.host.start().isEmpty)
    let verdict = test.open("/etc/shadow", flags: 1, uid: 501)
    #expect(verdict.action == Self.decided[plugin.name] ?? .abstain)
    test.host.stop()
    #expect(test.host.plugins.first?.misbehaviour == 0)
  }
}
