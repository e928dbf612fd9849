// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// A plugin decides the same in the host's process and in a worker.
@Suite struct WorkerParityTests {
  /// Rules for every plugin that decides, so that there is something to compare.
  private static let rules = [
    #"kext-guard.deny=[{"id": "com.mandiant.monitor"}, {"id": "com.example.*"}]"#,
    #"path-guard.deny=[{"path": "/etc", "operations": ["open"]}, {"path": "/tmp"}]"#,
  ].flatMap { ["--set", $0] }

  /// Rules for each shipped plugin that decides, as members of its configuration.
  private static let settings: [String: [String: String]] = [
    "kext-guard": ["deny": #"[{"id": "com.mandiant.monitor"}, {"id": "com.example.*"}]"#],
    "policy-guard": ["deny": #"[{"name": "*"}]"#],
    "path-guard": ["deny": #"[{"path": "/etc", "operations": ["open"]}, {"path": "/tmp"}]"#],
    "dns-watch": ["deny": #"["googleapis.com"]"#],
  ]

  @Test(arguments: Host.shipped)
  func `a shipped plugin decides the same in process, in a worker and in its tests`(name: String)
    throws
  {
    let host = try Host()
    let parity = Parity(
      plugin: Products.plugin(name), name: name, settings: Self.settings[name] ?? [:])
    var decided = 0
    for session in ["mandiant-monitor", "mixed-day", "mac-blocking", "dns-query"] {
      let file = host.scratch.file("\(session).kemon")
      #expect(try host.run("record", "--session", session, "-q", "--write", file).status == 0)
      decided += try parity.check(file).count
    }
    #expect(name == "event-log" ? decided == 0 : decided > 0, "there is something to compare")
  }

  /// Digest and denials of a recording.
  private static func votes(
    _ host: Host, _ recording: String, _ isolate: String, plugins: String
  ) throws -> (digest: String, denied: Int) {
    let result = try Command(built: "kemon-host")
      .run(
        [
          "bench", recording, "--plugins", plugins, "--rounds", "2", "--output", "json",
          "--isolate", isolate,
        ] + rules)
    #expect(result.status == 0, "\(result.errors)")
    let report = try members(of: result.output)
    return (try #require(report["digest"] as? String), report["denied"] as? Int ?? -1)
  }

  @Test(arguments: ["mandiant-monitor", "mixed-day", "file-ops", "dns-query", "mac-blocking"])
  func `all shipped plugins vote the same on a session`(session: String) throws {
    let host = try Host()
    let file = host.scratch.file("session.kemon")
    #expect(try host.run("record", "--session", session, "-q", "--write", file).status == 0)
    let here = try Self.votes(host, file, "none", plugins: host.plugins)
    let there = try Self.votes(host, file, "all", plugins: host.plugins)
    #expect(here == there)
    let some = try Self.votes(host, file, "kext-guard,event-log", plugins: host.plugins)
    #expect(here == some)
  }

  @Test(.enabled(if: SharedRecordings.isThere, "needs ../shared/recordings"))
  func `all shipped plugins vote the same on a real capture`() throws {
    let host = try Host()
    let file = host.scratch.file("httpd.kemon")
    let trace = SharedRecordings.path("linux_scap_json/sfc_mpm-worker_full_capture.jsonl.gz")
    #expect(try host.run("trace", "import", "--from", "sysdig-json", trace, "-o", file).status == 0)
    let here = try Self.votes(host, file, "none", plugins: host.plugins)
    #expect(here.denied > 0)
    #expect(try Self.votes(host, file, "all", plugins: host.plugins) == here)
  }

  @Test func `what event-log writes is the same but for the times of calls`() throws {
    let host = try Host()
    let file = try host.record()
    let texts = try ["none", "all"]
      .map { isolate in
        try host.run(
          "replay", file, "--plugins", host.plugins, "-q", "-o", "jsonl", "--isolate", isolate
        ).output.replacing(/"latency_ns":\d+/, with: "")
      }
    #expect(texts[0].count > 1000 && texts[0] == texts[1])
  }

  @Test func `what cannot be isolated is said`() throws {
    let host = try Host()
    let unknown = try host.run("run", "--plugins", host.plugins, "--isolate", "kext-gard")
    #expect(unknown.errors.contains("perhaps kext-guard"), "\(unknown.errors)")
    #expect(try host.run("run", "--isolate", "a,,b").status == 64)
  }
}
