// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Synchronization
import Testing

/// Controlling a run over its socket.
@Suite struct ControlCommandTests {
  /// Runs the host until the body is done with it.
  private func withRun(
    _ host: Host, _ arguments: [String], _ body: (String) throws -> Void
  ) throws -> Command.Result {
    let socket = host.scratch.file("control")
    let result = Mutex<Command.Result?>(nil)
    let thread = Thread {
      let run = try? Command(built: "kemon-host")
        .run(arguments + ["--control", socket, "--plugins", host.plugins])
      result.withLock { $0 = run }
    }
    thread.start()
    while access(socket, F_OK) != 0, result.withLock({ $0 == nil }) { usleep(1000) }
    try body(socket)
    while result.withLock({ $0 == nil }) { usleep(1000) }
    return try #require(result.withLock { $0 })
  }

  @Test(.timeLimit(.minutes(2)))
  func `a replay's plugins are reloaded, moved, disabled and listed`() throws {
    let host = try Host(plugins: ["path-guard"])
    // A minute and more, if nobody ends it before: a session takes 50 microseconds at least.
    let recording = try host.record()
    let result = try withRun(host, ["replay", recording, "--speed", "0.000001x", "--quiet"]) {
      socket in
      func ask(_ arguments: String...) throws -> Command.Result {
        try Command(built: "kemon-host").run(["plugins"] + arguments + ["--control", socket])
      }
      var answer = try ask("list")
      #expect(answer.status == 0, "\(answer.text)")
      #expect(answer.output.contains("path-guard  1.0.0    1    enforce  running"))
      answer = try ask("reload", "path-guard")
      #expect(answer.errors == "path-guard: generation 2, version 1.0.0, the same code\n")
      answer = try ask("set-mode", "path-guard", "monitor")
      #expect(answer.status == 0, "\(answer.text)")
      answer = try ask("disable", "path-guard")
      #expect(answer.status == 0, "\(answer.text)")
      answer = try ask("list", "-o", "json")
      let plugins = try #require(members(of: answer.output)["plugins"] as? [[String: Any]])
      #expect(plugins.first?["generation"] as? Int == 2)
      #expect(plugins.first?["mode"] as? String == "monitor")
      #expect(plugins.first?["enabled"] as? Bool == false)
      answer = try ask("enable", "path-guard")
      #expect(answer.status == 0, "\(answer.text)")
      answer = try ask("reload", "path-gaurd")
      #expect(answer.status == 1)
      #expect(answer.errors.contains("[running.none]"))
      let pid = try #require(
        Command("pgrep")?.run(["-f", "--", "--control \(socket)"]).output
          .split(separator: "\n").compactMap { Int32($0) }.first)
      kill(pid, SIGINT)
    }
    #expect(result.status == 0, "\(result.text)")
    #expect(access(host.scratch.file("control"), F_OK) != 0, "the socket is gone")
  }

  @Test func `without a host there is a clear answer and an exit code`() throws {
    let host = try Host(plugins: [])
    let socket = host.scratch.file("nobody")
    for verb in [["reload", "x"], ["enable", "x"], ["set-mode", "x", "monitor"], ["list"]] {
      let result = try Command(built: "kemon-host")
        .run(["plugins"] + verb + ["--control", socket])
      #expect(result.status == 6)
      #expect(result.errors.contains("no host listens there"))
    }
  }

  @Test func `a socket that cannot be made ends the run before it begins`() throws {
    let host = try Host(plugins: [])
    let file = try host.scratch.write("mine", to: "file")
    let result = try host.run("run", "--control", file)
    #expect(result.status == 1)
    #expect(result.errors.contains("--control \(file): is there and is no socket"))
  }
}
