// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@Suite struct RunTests {
  @Test func `without options a driver is kept from starting, in the words of 2018`() throws {
    let host = try Host()
    let result = try host.run("--plugins", host.plugins)
    #expect(result.output == (try Checkout.golden("dialect-2018-mandiant-monitor.txt")))
    #expect(result.status == 0)
    #expect(result.errors.contains("balanced"))
  }

  @Test func `the dialect of 2019 is an option away`() throws {
    let host = try Host()
    let result = try host.run("--plugins", host.plugins, "--dialect", "2019", "--quiet")
    #expect(result.output == (try Checkout.golden("dialect-2019-mandiant-monitor.txt")))
    #expect(result.errors == "")
  }

  @Test func `in monitor mode the driver starts and the denial is only recorded`() throws {
    let host = try Host()
    let result = try host.run("--plugins", host.plugins, "--mode", "monitor")
    #expect(result.output.contains("status=0"))
    #expect(!result.output.contains("Patching"))
    #expect(result.errors.contains("com.mandiant.monitor loaded"))
  }

  @Test func `without plugins the driver starts`() throws {
    let host = try Host(plugins: [])
    let result = try host.run("run")
    #expect(result.status == 0)
    #expect(result.output == "")
    #expect(result.errors.contains("com.mandiant.monitor loaded"))
  }

  @Test func `JSON lines are objects`() throws {
    let host = try Host()
    let result = try host.run("--plugins", host.plugins, "--output", "jsonl")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 7)
    let kinds = try lines.map { try members(of: String($0))["kind"] as? String }
    #expect(kinds.contains("kext.start"))
  }

  @Test(arguments: ["10.11.6", "10.12.6", "10.13.6", "10.14.6"])
  func `the driver is kept from starting on every kernel`(release: String) throws {
    let host = try Host()
    let result = try host.run("--plugins", host.plugins, "--macos", release)
    #expect(result.errors.contains("com.mandiant.monitor failed (0xdc008017)"))
    #expect(result.output.contains("Kext com.mandiant.monitor start failed (result 0x5)."))
  }

  @Test func `a session file says what happens`() throws {
    let host = try Host()
    let session = try host.scratch.write(
      """
      {"name": "two", "release": "10.13.6",
       "process": {"pid": 59, "ppid": 1, "uid": 0, "gid": 0, "comm": "kextd"},
       "kexts": [
        {"id": "a.base", "version": "1.0", "path": "/a.kext", "base": "0xffffff7f80000000", "size": "0x1000"},
        {"id": "b.user", "version": "1.0", "path": "/b.kext", "base": "0xffffff7f80010000", "size": "0x1000",
         "libraries": {"a.base": "1.0"}}]}
      """, to: "two.json")
    let config = try host.scratch.write(
      #"{"plugins": {"kext-guard": {"deny": [{"id": "a.*"}]}}}"#, to: "config.json")
    let result = try host.run(
      "--plugins", host.plugins, "--session", session, "--config", config)
    #expect(result.errors.contains("a.base failed (0xdc008017)"))
    #expect(result.errors.contains("b.user failed (0xdc008015)"))
  }

  @Test func `a session that is wrong is refused with its place`() throws {
    let host = try Host(plugins: [])
    let session = try host.scratch.write("{\"name\": \"x\"}", to: "bad.json")
    let result = try host.run("--session", session)
    #expect(result.status == 65)
    #expect(result.errors.contains("bad.json"))
  }
}
