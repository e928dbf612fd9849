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
    #expect(Self.plugins.count >= 15)
    #expect(Set(Self.plugins.map(\.name)).count == Self.plugins.count)
    #expect(Set(Self.decided.keys).isSubset(of: Self.plugins.map(\.name)))
  }

  /// Builds a plugin as a package would: its manifest in C, the kit linked into it.
  private func build(_ plugin: Shown, in test: TestHost) throws {
    let name = plugin.name.lowercased()
    let manifest = try test.folder.write(
      #"""
      #include <kemon/kemon.h>
      KEMON_MANIFEST("{\"name\": \"\#(name)\", \"version\": \"1.0.0\", \"abi\": 1,"
                     " \"capabilities\": [\"modify:file.create.mode\"]}");
      """#, to: "manifest.c")
    let object = test.folder.file("manifest.o")
    let compiled = try #require(Command("cc"))
      .run([
        "-c", "-fPIC", "-I", Checkout.sdk.appending(path: "include").path, manifest, "-o", object,
      ])
    #expect(compiled.status == 0, "\(compiled.text)")
    let entry = """

      @c(kemon_plugin_v1)
      public func kemon_plugin_v1(
        _ hello: UnsafeMutablePointer<kemon_hello>?
      ) -> UnsafePointer<kemon_plugin>? { exportPlugin(\(plugin.name).self, hello) }
      """
    let exports = Checkout.sdk.appending(path: "cmake/exports.map").path
    let library = test.folder.file("\(name).so")
    let built = try #require(
      try SwiftSnippets.build(
        plugin.text.contains("@c(kemon_plugin_v1)") ? plugin.text : plugin.text + entry,
        to: library, with: ["KemonPluginKit", "KemonEvents"],
        ["-emit-library", object, "-Xlinker", "--version-script=\(exports)"]))
    #expect(built.status == 0, "\(built.text)")
    chmod(library, 0o755)
  }

  @Test(
    .enabled(
      if: SwiftSnippets.canBeLinked && Command.exists("cc"), "needs swiftc, cc, and no sanitizer"),
    arguments: plugins)
  func `the plugin of a page builds and runs`(plugin: Shown) throws {
    let test = try TestHost(operations: Self.operations)
    try build(plugin, in: test)
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
