// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// Eight files that are no plugins, each for a reason of its own.
@Suite(.enabled(if: Command("cc") != nil, "needs a C compiler")) struct BadPluginTests {
  static let files = [
    "text.so", "empty.so", "narrow.so", "plain.so", "future.so", "failing.so", "open.so", "cut.so",
  ]

  /// Makes all eight.
  private func makeFiles(_ host: Host) throws {
    let scratch = host.scratch
    let source = { (manifest: String, body: String) in
      """
      #include <kemon/kemon.h>
      \(manifest)
      static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
        (void)h, (void)c, (void)e; \(body)
      }
      const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
        static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
        (void)hello; return &plugin;
      }
      """
    }
    let manifest = { (name: String, abi: Int) in
      #"KEMON_MANIFEST("{\"name\": \"\#(name)\", \"version\": \"1.0.0\", \"abi\": \#(abi)}");"#
    }
    let good = "static int self; return &self;"
    try compile(source(manifest("good", 1), good), "good.so", host)
    try compile(source("", good), "plain.so", host)
    try compile(source(manifest("future", 99), good), "future.so", host)
    try compile(
      source(manifest("failing", 1), "kemon_fail(e, KEMON_E_FAILED, \"no licence\"); return 0;"),
      "failing.so", host)
    try compile(source(manifest("open", 1), good), "open.so", host, mode: 0o777)
    try scratch.write("this is a text\n", to: "plugins/text.so")
    try scratch.write("", to: "plugins/empty.so")
    var bytes = try Data(contentsOf: URL(filePath: scratch.file("plugins/good.so")))
    try bytes.prefix(bytes.count / 2).write(to: URL(filePath: scratch.file("plugins/cut.so")))
    bytes[4] = 1  // ELFCLASS32
    try bytes.write(to: URL(filePath: scratch.file("plugins/narrow.so")))
  }

  private func compile(_ source: String, _ name: String, _ host: Host, mode: Int = 0o755) throws {
    let file = try host.scratch.write(source, to: name + ".c")
    let target = host.scratch.file("plugins/" + name)
    let result = try #require(Command("cc"))
      .run([
        "-std=c17", "-fPIC", "-shared",
        "-I\(Checkout.root.appending(path: "plugin-sdk/include").path)", "-o", target, file,
      ])
    try #require(result.status == 0, "\(result.errors)")
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: target)
  }

  @Test func `eight bad files give eight messages and the good ones are loaded`() throws {
    let host = try Host()
    try makeFiles(host)
    let result = try host.run("--plugins", host.plugins)
    #expect(result.status == 0)
    #expect(result.output == (try Checkout.golden("dialect-2018-mandiant-monitor.txt")))
    let warnings = result.errors.split(separator: "\n").filter { $0.hasPrefix("warning:") }
    #expect(warnings.count == 8, "\(result.errors)")
    var rules: Set<Substring> = []
    for file in Self.files {
      let line = warnings.first { $0.contains("/\(file): ") }
      #expect(line != nil, "nothing about \(file) in \(result.errors)")
      rules.formUnion((line ?? "").split(separator: " ").suffix(1))
    }
    #expect(rules.count == 8, "\(rules)")
    #expect(result.errors.contains("no licence"))
  }

  @Test func `a bad file that is required is fatal, also without a single good one`() throws {
    let host = try Host(plugins: [])
    try makeFiles(host)
    for name in ["future", "failing", "nobody"] {
      let result = try host.run("--plugins", host.plugins, "--require", name)
      #expect(result.status == 5)
      #expect(result.errors.contains("plugin \(name) is required and is not running"))
    }
    #expect(try host.run("--plugins", host.plugins, "--require", "good").status == 0)
  }

  @Test func `listing them runs nothing and tells the same`() throws {
    let host = try Host(plugins: [])
    try makeFiles(host)
    let result = try host.run("plugins", "list", "--plugins", host.plugins, "--output", "json")
    let listed = try #require(try members(of: result.output)["plugins"] as? [[String: Any]])
    #expect(listed.count == 9)
    let bad = listed.filter { ($0["problems"] as? [Any])?.isEmpty == false }
    // Whether create fails is only known by calling it.
    #expect(bad.count == 7)
    let info = try host.run("plugins", "info", host.plugins + "/cut.so")
    #expect(info.status == 65)
  }
}
