// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// What becomes of a run whose observers cannot keep up, and of those who have nothing to say.
@Suite struct OverflowTests {
  private static let events = 400

  /// A plugin without an opinion, compiled into the host's folder.
  private func add(_ flags: [String], to host: Host) throws {
    let compiler = try #require(Command("cc"))
    let library = host.scratch.file("libwatcher.so")
    let result = try compiler.run(
      ["-std=gnu11", "-shared", "-fPIC", "-I", Checkout.sdk.appending(path: "include").path]
        + flags + [Checkout.fixture("Plugins/watcher.c").path, "-o", library])
    try #require(result.status == 0, "\(result.text)")
    try host.scratch.copy(library, to: "plugins/libwatcher.so")
  }

  /// A recording of queries.
  private func makeRecording(in host: Host) throws -> String {
    let lines = (1...Self.events)
      .map { number in
        #"{"timestamp":\#(number),"processId":7,"processName":"dig","userId":0,"#
          + #""eventName":"net_packet_dns","args":["#
          + #"{"name":"src","type":"string","value":"10.0.0.1"},"#
          + #"{"name":"dst","type":"string","value":"1.1.1.1"},"#
          + #"{"name":"src_port","type":"uint16","value":5},"#
          + #"{"name":"dst_port","type":"uint16","value":53},"#
          + #"{"name":"proto_dns","type":"trace.ProtoDNS","value":"#
          + #"{"QR":0,"questions":[{"name":"a.example","type":"A","class":"IN"}]}}]}"#
      }
    let trace = try host.scratch.write(lines.joined(separator: "\n") + "\n", to: "trace")
    let file = host.scratch.file("queries.kemon")
    let result = try host.run("trace", "import", "--from", "tracee", trace, "-o", file)
    try #require(result.status == 0, "\(result.errors)")
    return file
  }

  @Test func `with exit the first loss ends the run, and the account is printed`() throws {
    let host = try Host(plugins: [])
    try add(["-DOBSERVE=1", "-DDELAY_US=20000"], to: host)
    let file = try makeRecording(in: host)
    let result = try host.run(
      "replay", file, "--plugins", host.plugins, "--ring", "16", "--on-overflow", "exit",
      "--speed", "max")
    #expect(result.status == 4, "\(result.text)")
    #expect(result.errors.contains("a whole ring behind: the run ended early"), "\(result.errors)")
    let account = try #require(
      result.errors.split(separator: "\n").first { $0.contains("overwritten") }, "\(result.errors)")
    #expect(account.contains("watcher") && account.contains("balanced"), "\(account)")
  }

  @Test func `with drop the run goes on to its end, with block nothing is lost`() throws {
    let host = try Host(plugins: [])
    try add(["-DOBSERVE=1", "-DDELAY_US=500"], to: host)
    let file = try makeRecording(in: host)
    let arguments = ["replay", file, "--plugins", host.plugins, "--ring", "16", "--on-overflow"]
    let program = Command(built: "kemon-host")
    let dropping = try program.run(arguments + ["drop"])
    #expect(dropping.status == 0)
    #expect(dropping.errors.contains("\(Self.events) replayed"), "\(dropping.errors)")
    #expect(dropping.errors.contains("overwritten"))
    let blocking = try program.run(arguments + ["block", "--fail-on-loss"])
    #expect(blocking.status == 0)
    #expect(!blocking.errors.contains("overwritten"), "\(blocking.errors)")
  }

  /// A recording keeps who was asked and said nothing, and so do the lines of event-log.
  @Test func `who has nothing to say on what cannot be denied is in the record`() throws {
    let host = try Host(plugins: ["event-log"])
    try add([], to: host)
    let file = host.scratch.file("votes.kemon")
    let run = try host.run("run", "--plugins", host.plugins, "--write", file, "--output", "jsonl")
    #expect(run.status == 0, "\(run.errors)")
    let lines = run.output.split(separator: "\n")
    var phases: Set<String> = []
    for line in lines {
      let event = try members(of: String(line))
      phases.insert(event["phase"] as? String ?? "")
      let votes = try #require(event["votes"] as? [[String: Any]])
      #expect(votes.map { $0["plugin"] as? String } == ["watcher"], "\(line)")
      #expect(votes.map { $0["action"] as? String } == ["abstain"], "\(line)")
    }
    #expect(phases == ["pre", "post", "notify"])
    let info = try members(of: host.run("trace", "info", file, "--output", "json").output)
    #expect(info["events"] as? Int == lines.count)
  }
}
