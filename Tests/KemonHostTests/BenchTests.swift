// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@Suite struct BenchTests {
  @Test func `the report has digest, rate, latency, plugins and balance`() throws {
    let host = try Host()
    let file = try host.record()
    let result = try host.run(
      "bench", file, "--plugins", host.plugins, "--rounds", "3", "--output", "json", "--set",
      #"kext-guard.deny=[{"id": "com.mandiant.monitor"}]"#)
    #expect(result.status == 0, "\(result.errors)")
    let report = try members(of: result.output)
    let digest = try #require(report["digest"] as? String)
    #expect(digest.count == 64)
    #expect(report["digests"] as? [String] == [digest, digest, digest])
    #expect((report["events_per_second"] as? Double ?? 0) > 0)
    #expect(report["denied"] as? Int == 1)
    let latency = try #require(report["latency"] as? [String: Any])
    for key in ["p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns"] { #expect(latency[key] != nil) }
    let plugins = try #require(report["plugins"] as? [[String: Any]])
    let guardPlugin = try #require(plugins.first { $0["name"] as? String == "kext-guard" })
    // One warm-up round and three measured ones.
    #expect(guardPlugin["denies"] as? Int == 4)
    let balance = try #require(report["balance"] as? [[String: Any]])
    #expect(balance.allSatisfy { $0["balanced"] as? Bool == true && $0["lost"] as? Int == 0 })
  }

  @Test func `the digest depends on verdicts, not on plugins that have nothing to say`() throws {
    let host = try Host()
    let file = try host.record()
    let digest = { (arguments: [String]) in
      try members(
        of: Command(built: "kemon-host")
          .run(
            ["bench", file, "--plugins", host.plugins, "--rounds", "1", "--output", "json"]
              + arguments
          ).output)["digest"] as? String
    }
    let deny = ["--set", #"kext-guard.deny=[{"id": "com.mandiant.monitor"}]"#]
    let all = try digest(deny)
    #expect(try digest(deny + ["--disable", "event-log", "--disable", "dns-watch"]) == all)
    #expect(try digest([]) != all)
  }

  @Test func `a simulated loss shows up exactly, and fails the run that must not lose`() throws {
    let host = try Host()
    let file = try host.record()
    let arguments = ["bench", file, "--plugins", host.plugins, "--rounds", "9", "--output", "json"]
    let program = Command(built: "kemon-host")
    let result = try program.run(arguments + ["--simulate-drops", "30%"])
    #expect(result.status == 0, "\(result.errors)")
    let report = try members(of: result.output)
    let balance = try #require(report["balance"] as? [[String: Any]])
    #expect(!balance.isEmpty)
    for account in balance {
      // Ten rounds of seven events.
      #expect(account["produced"] as? Int == 70)
      #expect(account["lost"] as? Int == 21)
      #expect(account["lost_at"] as? [String: Int] == ["simulated": 21])
      #expect(account["balanced"] as? Bool == true)
    }
    #expect(try program.run(arguments + ["--simulate-drops", "30", "--fail-on-loss"]).status == 4)
    #expect(try program.run(arguments + ["--simulate-drops", "101%"]).status == 64)
  }

  @Test func `a recording without events cannot be measured`() throws {
    let host = try Host(plugins: [])
    let trace = try host.scratch.write("", to: "empty.jsonl")
    let file = host.scratch.file("empty.kemon")
    #expect(try host.run("trace", "import", "--from", "tracee", trace, "-o", file).status == 0)
    #expect(try host.run("bench", file).status == 65)
  }
}
