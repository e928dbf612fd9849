// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@Suite struct SessionsTests {
  @Test(
    arguments: ["2018", "2019"],
    ["kext-lifecycle", "ksbox", "mixed-day", "processes", "dylibs", "kauth-limitation-4"])
  func `a session has its transcript in both dialects`(dialect: String, name: String) throws {
    let host = try Host(plugins: ["event-log"])
    let result = try host.run(
      "--plugins", host.plugins, "--session", name, "--dialect", dialect, "--quiet")
    // How long a socket was there is the only thing that no two runs share.
    let output = result.output.replacing(
      /duration=\d+\.\d+ seconds/, with: "duration=0.000000 seconds")
    let golden = "dialect-\(dialect)-\(name).txt"
    if ProcessInfo.processInfo.environment["KEMON_UPDATE_GOLDEN"] != nil {
      try Data(output.utf8).write(to: Checkout.fixture("Golden/\(golden)"))
    }
    #expect(output == (try Checkout.golden(golden)))
    #expect(result.status == 0)
  }

  @Test func `the lines of KSBox are those of its slides`() throws {
    let host = try Host(plugins: ["event-log"])
    let result = try host.run(
      "--plugins", host.plugins, "--session", "ksbox", "--dialect", "2019", "--quiet")
    for line in [
      "action=KAUTH_FILEOP_CLOSE, uid=501, process(pid 303)=nsurlstoraged, parent(ppid 1)=launchd, "
        + "path=/Users/wang/Library/Caches/0CBBB974.tmp, modified=true.",
      "action=UDP_DNS_QUERY, localhost:59133-->10.0.110.30:53, uid=501, "
        + "process(pid 1133)=Google Chrome He, parent(ppid 1126)=Google Chrome, query=mtalk.google.com.",
      "action=MONITORING_KEXT_PRE_CALLBACK, uid=0, process(pid 62)=kextd, parent(ppid 1)=launchd, "
        + "path=/System/Library/Extensions/AppleUSBAudio.kext, module base=0xffffff7f92399000.",
    ] {
      #expect(result.output.contains("[Kemon.kext] : \(line)\n"), "\(line)")
    }
  }

  @Test func `sessions are listed one a line, the name first`() throws {
    let host = try Host(plugins: [])
    let result = try host.run("--list-sessions")
    let names = result.output.split(separator: "\n").compactMap { $0.split(separator: " ").first }
    #expect(names.first == "mandiant-monitor")
    #expect(names.contains("mixed-day"))
    #expect(Set(names).count == names.count)
  }

  @Test func `a name that is nearly right is helped with`() throws {
    let host = try Host(plugins: [])
    let result = try host.run("--session", "mixed-dya")
    #expect(result.status == 66)
    #expect(result.errors.contains("did you mean mixed-day?"))
  }

  @Test func `a load is generated on many threads`() throws {
    let host = try Host(plugins: [])
    let result = try host.run("--events", "3000", "--threads", "3", "--seed", "5")
    #expect(result.status == 0)
    #expect(result.errors.contains("load of 3,000 events, seed 5, threads 3"))
    #expect(result.errors.contains("file: "))
    let bare = try host.run("--operations", "1000", "--no-hooks")
    #expect(bare.errors.contains("load      1,000 operations in "))
    let wrong = try host.run("--events", "10", "--session", "mixed-day")
    #expect(wrong.status == 64)
    #expect(try host.run("--seed", "10").errors.contains("--events N is missing"))
  }
}
