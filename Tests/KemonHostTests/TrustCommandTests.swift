// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// Locking, signing and verifying from the command line.
@Suite struct TrustCommandTests {
  @Test func `a locked folder is loaded as it is, and nothing else from it`() throws {
    let host = try Host(plugins: ["kext-guard", "event-log"])
    var result = try host.run("plugins", "lock", host.plugins)
    #expect(result.status == 0, "\(result.text)")
    #expect(result.output.contains("kext-guard  added  observe vote"))
    result = try host.run("--plugins", host.plugins, "--trust", "lock", "--quiet")
    #expect(result.output == (try Checkout.golden("dialect-2018-mandiant-monitor.txt")))
    #expect(result.errors == "")

    let file = "\(host.plugins)/libkext-guard.so"
    let handle = try FileHandle(forUpdating: URL(filePath: file))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data([0]))
    try handle.close()
    result = try host.run("--plugins", host.plugins, "--require", "kext-guard", "--quiet")
    #expect(result.status == 5)
    #expect(result.errors.contains("[lock.hash]"))
    #expect(result.errors.contains(file))
    result = try host.run("plugins", "list", "--plugins", host.plugins)
    #expect(result.output.contains("refused"))
    result = try host.run("--plugins", host.plugins, "--trust", "owner", "--quiet")
    #expect(!result.errors.contains("lock.hash"))
  }

  @Test func `what is signed can be told from what is not`() throws {
    let host = try Host(plugins: ["kext-guard"])
    let (secret, open) = (host.scratch.file("a.key"), host.scratch.file("a.pub"))
    let file = "\(host.plugins)/libkext-guard.so"
    var result = try host.run("plugins", "keygen", "-s", secret, "-p", open, "--no-password")
    #expect(result.status == 0, "\(result.text)")
    let mode = try FileManager.default.attributesOfItem(atPath: secret)[.posixPermissions]
    #expect(mode as? Int == 0o600)
    result = try host.run("plugins", "keygen", "-s", secret, "-p", open, "--no-password")
    #expect(result.status == 1, "keys are never overwritten")

    result = try host.run("plugins", "verify", file, "-p", open)
    #expect(result.status == 3)
    result = try host.run("--plugins", host.plugins, "--signer", open, "--quiet")
    #expect(result.errors.contains("[signature.missing]"))
    result = try host.run("plugins", "sign", file, "-s", secret)
    #expect(result.status == 0, "\(result.text)")
    result = try host.run("plugins", "verify", file, "-p", open)
    #expect(result.status == 0, "\(result.text)")
    result = try host.run("--plugins", host.plugins, "--signer", open, "--quiet")
    #expect(result.errors == "")
    result = try host.run("plugins", "lock", host.plugins, "--signer", open)
    #expect(result.status == 0, "\(result.text)")
    let lock = try String(contentsOfFile: "\(host.plugins)/plugins.lock", encoding: .utf8)
    #expect(lock.contains("\"signer\""))
    #expect(!lock.contains("sha256"))
  }

  @Test func `a secret key's password comes from a file where there is no terminal`() throws {
    let host = try Host(plugins: [])
    let result = try host.run(
      "plugins", "keygen", "-s", host.scratch.file("k"), "-p", host.scratch.file("p"))
    #expect(result.status == 1)
    #expect(result.errors.contains("--password-file"))
  }

  @Test func `plugins info shows the schema and what the plugin asks for`() throws {
    let host = try Host(plugins: ["path-guard"])
    let file = "\(host.plugins)/libpath-guard.so"
    var result = try host.run("plugins", "info", file)
    #expect(result.output.contains("capabilities  observe, vote\n"))
    #expect(result.output.contains("\"additionalProperties\": false"))
    result = try host.run("plugins", "info", file, "-o", "json")
    #expect(try members(of: result.output)["config"] is [String: Any])
  }

  @Test func `a configuration that does not fit is told with file, line and column`() throws {
    let host = try Host(plugins: ["path-guard"])
    let config = try host.scratch.write(
      """
      {"plugins": {
        "path-guard": {"deny": [
          {"path": "/etc", "operations": ["exce"]}, {"paht": "/usr"}]}}}
      """, to: "config.json")
    let result = try host.run("--plugins", host.plugins, "--config", config, "--quiet")
    #expect(
      result.errors.contains(
        "found \(config), line 3, column 37: deny[0].operations[0]: \"exce\", "
          + "needed is one of \"open\", \"exec\" [config.schema]"))
    #expect(result.errors.contains("deny[1].paht: an unknown member, needed is perhaps path"))
    #expect(result.errors.contains("deny[1].path: nothing, needed is a value"))
  }
}
