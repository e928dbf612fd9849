// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents
import KemonFakeHost
import KemonTestSupport
import Testing

@Suite struct ReadmeTests {
  /// The first block of a language in a Markdown file.
  private func block(_ language: String, of file: String) throws -> String {
    let text = try String(contentsOf: Checkout.root.appending(path: file), encoding: .utf8)
    let start = try #require(text.range(of: "```\(language)\n"))
    let end = try #require(text.range(of: "```", range: start.upperBound..<text.endIndex))
    return String(text[start.upperBound..<end.lowerBound])
  }

  @Test(.enabled(if: Command.exists("cc"), "needs cc"))
  func `the plugin of the SDK's README builds and denies`() throws {
    let folder = try ScratchFolder()
    let source = try folder.write(try block("c", of: "plugin-sdk/README.md"), to: "my-guard.c")
    let library = folder.file("libmy-guard.so")
    let result = try #require(Command("cc")).run([
      "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC",
      "-fvisibility=hidden", "-I", Checkout.sdk.appending(path: "include").path, source, "-o",
      library,
    ])
    #expect(result.status == 0, "\(result.text)")
    let host = FakeHost()
    let plugin = try PluginLibrary(path: library).run(in: host)
    let answer = host.vote(Samples.file(KEMON_KIND_FILE_OPEN_PRE, "/etc/shadow")).first
    #expect(answer?.action == .deny && answer?.reason == "for root only")
    plugin.stop()
  }

  @Test(arguments: ["kext-guard", "policy-guard", "dns-watch", "path-guard", "event-log"])
  func `the configuration of a plugin's README is accepted`(name: String) throws {
    let text = try block("json", of: "Sources/Plugins/\(name)/README.md")
    let host = FakeHost(config: try JSONDecoder().decode(ConfigValue.self, from: Data(text.utf8)))
    try PluginLibrary(product: name).run(in: host).stop()
    #expect(!host.handlers.isEmpty)
  }
}
