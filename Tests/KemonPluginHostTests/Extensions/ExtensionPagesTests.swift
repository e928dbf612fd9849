// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonPluginHost

/// The plugin on the page of each extension: what authors copy has to work.
@Suite struct ExtensionPagesTests {
  private static let pages = ["schema", "metrics", "timer", "defer", "modify", "mute", "blob"]

  @Test(.enabled(if: Command.exists("cc"), "needs cc"), arguments: pages)
  func `the plugin of a page builds and runs`(page: String) throws {
    let text = try String(
      contentsOf: Checkout.root.appending(path: "docs/plugins/\(page).md"), encoding: .utf8)
    let start = try #require(text.range(of: "```c\n"))
    let end = try #require(text.range(of: "```", range: start.upperBound..<text.endIndex))
    let test = try TestHost()
    let source = try test.folder.write(
      String(text[start.upperBound..<end.lowerBound]), to: "page.c")
    let library = test.folder.file("page.so")
    let result = try #require(Command("cc")).run([
      "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC",
      "-fvisibility=hidden", "-I", Checkout.sdk.appending(path: "include").path, source, "-o",
      library,
    ])
    #expect(result.status == 0, "\(result.text)")
    chmod(library, 0o755)
    let report = test.load()
    #expect(report.problems.isEmpty)
    #expect(report.loaded.count == 1)
    #expect(test.host.start().isEmpty)
    #expect(test.open("/etc/hosts").action == .abstain)
    test.host.stop()
    #expect(test.host.plugins.first?.misbehaviour == 0)
  }
}
