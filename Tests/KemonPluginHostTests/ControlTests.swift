// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

@Suite struct ControlTests {
  private func ask(_ test: TestHost, _ line: String) throws -> JSONValue {
    try JSONValue(parsing: ControlService(test.host).answer(Array(line.utf8)))
  }

  private func started() throws -> TestHost {
    let test = try TestHost()
    try test.put()
    #expect(test.load().problems.isEmpty)
    #expect(test.host.start().isEmpty)
    return test
  }

  @Test func `plugins are listed with what their handlers did`() throws {
    let test = try started()
    test.votes()
    let answer = try ask(test, #"{"do": "list"}"#)
    #expect(answer.value(at: "ok") == .bool(true))
    #expect(answer.value(at: "plugins")?.elements?.count == 1)
    let plugin = try #require(answer.value(at: "plugins[0]"))
    #expect(plugin.value(at: "name") == .string("generation"))
    #expect(plugin.value(at: "generation") == .integer(1))
    #expect(plugin.value(at: "state") == .string("running"))
    #expect(plugin.value(at: "mode") == .string("enforce"))
    #expect(plugin.value(at: "enabled") == .bool(true))
    #expect(plugin.value(at: "trial") == .null)
    #expect(plugin.value(at: "handlers[0].name") == .string("vote"))
    #expect(plugin.value(at: "handlers[0].calls") == .integer(1))
    #expect(plugin.value(at: "handlers[1].role") == .string("observer"))
    test.host.stop()
  }

  @Test func `a plugin is reloaded, disabled, enabled, moved and configured`() throws {
    let test = try started()
    var answer = try ask(
      test, #"{"do": "reload", "plugin": "generation", "trial_events": 5, "config": {"code": 10}}"#)
    #expect(answer.value(at: "ok") == .bool(true), "\(answer.text)")
    #expect(answer.value(at: "plugin.generation") == .integer(2))
    #expect(answer.value(at: "plugin.trial") == .integer(5))
    #expect(answer.value(at: "previous.generation") == .integer(1))
    #expect(answer.value(at: "reuses_code") == .bool(true))
    #expect(answer.value(at: "state_bytes") == .integer(32))
    #expect(test.votes() == [12])
    answer = try ask(
      test, #"{"do": "reconfigure", "plugin": "generation", "config": {"code": 20}}"#)
    #expect(answer.value(at: "ok") == .bool(true), "\(answer.text)")
    #expect(test.votes() == [22])
    answer = try ask(test, #"{"do": "disable", "plugin": "generation"}"#)
    #expect(answer.value(at: "plugin.enabled") == .bool(false))
    #expect(test.votes() == [])
    answer = try ask(test, #"{"do": "enable", "plugin": "generation"}"#)
    #expect(test.votes() == [22])
    answer = try ask(test, #"{"do": "set-mode", "plugin": "generation", "mode": "monitor"}"#)
    #expect(answer.value(at: "plugin.mode") == .string("monitor"))
    #expect(test.host.plugins.first?.mode == .monitor)
    test.host.stop()
  }

  @Test(arguments: [
    ("", "control.json", "line 1, column 1"),
    ("[]", "control.json", "an array"),
    ("{}", "control.member", "\"do\""),
    (#"{"do": "relaod"}"#, "control.verb", "needed is one of reload"),
    (#"{"do": "reload"}"#, "control.member", "\"plugin\""),
    (#"{"do": "reload", "plugin": "generation", "trail_events": 1}"#, "control.member", "trail"),
    (#"{"do": "reload", "plugin": "generation", "trial_events": -1}"#, "control.member", "-1"),
    (#"{"do": "reload", "plugin": "nothing"}"#, "running.none", "generation"),
    (#"{"do": "set-mode", "plugin": "generation", "mode": "x"}"#, "control.member", "monitor"),
    (#"{"do": "reconfigure", "plugin": "generation"}"#, "control.member", "\"config\""),
    (#"{"do": "reconfigure", "plugin": "generation", "config": 1}"#, "control.member", "config"),
  ])
  func `what cannot be done is refused with a rule`(
    line: String, rule: String, part: String
  ) throws {
    let test = try started()
    let answer = try ask(test, line)
    #expect(answer.value(at: "ok") == .bool(false))
    #expect(answer.value(at: "rule") == .string(rule))
    #expect(answer.value(at: "message")?.string?.contains(part) == true, "\(answer.text)")
    #expect(test.votes() == [1], "nothing has changed")
    test.host.stop()
  }

  @Test func `any bytes are answered with one line`() throws {
    let test = try started()
    var random = SeededRandom(seed: 6)
    let samples = [
      #"{"do": "list"}"#, #"{"do": "set-mode", "plugin": "generation", "mode": "monitor"}"#,
    ]
    for round in 0..<2000 {
      var line = Array(samples[round % samples.count].utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        line[Int.random(in: 0..<line.count, using: &random)] = UInt8.random(
          in: .min ... .max, using: &random)
      }
      let answer = ControlService(test.host).answer(line)
      #expect(!answer.contains("\n"))
      #expect(try JSONValue(parsing: answer).value(at: "ok")?.bool != nil)
    }
    test.host.stop()
  }

  // MARK: The socket

  @Test func `several clients are served over the socket, which its owner alone may use`() throws {
    let test = try started()
    let path = test.folder.file("control")
    let server = try ControlServer(listeningAt: path, for: test.host)
    var status = stat()
    #expect(lstat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    let first = try ControlClient(connectingTo: path)
    let second = try ControlClient(connectingTo: path)
    #expect(try first.ask(["do": .string("version")])["protocol"] == .integer(1))
    #expect(try second.ask(["do": .string("list")])["plugins"]?.elements?.count == 1)
    #expect(
      throws: ControlClient.Failure.refused(
        rule: "control.verb", message: "found \"lits\", needed is one of list")
    ) { try first.ask(["do": .string("lits")]) }
    #expect(try first.ask(["do": .string("list")])["ok"] == .bool(true), "it goes on")
    server.stop()
    #expect(access(path, F_OK) != 0)
    #expect(throws: ControlClient.Failure.self) { try first.ask(["do": .string("list")]) }
    test.host.stop()
  }

  @Test func `without a host there is a clear answer`() throws {
    let folder = try ScratchFolder()
    let path = folder.file("control")
    #expect(
      throws: ControlClient.Failure.unreachable(
        "\(path): no host listens there; start one with --control \(path)")
    ) { _ = try ControlClient(connectingTo: path) }
  }

  @Test func `a path that is taken is left alone`() throws {
    let test = try started()
    let path = try test.folder.write("mine", to: "control")
    #expect(throws: ControlServer.Failure.self) {
      _ = try ControlServer(listeningAt: path, for: test.host)
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
    let other = test.folder.file("other")
    let server = try ControlServer(listeningAt: other, for: test.host)
    #expect(throws: ControlServer.Failure.self) {
      _ = try ControlServer(listeningAt: other, for: test.host)
    }
    server.stop()
    test.host.stop()
  }

  @Test func `a line that never ends ends the connection`() throws {
    let test = try started()
    let path = test.folder.file("control")
    let server = try ControlServer(listeningAt: path, for: test.host)
    let long = String(repeating: "x", count: 2 * ControlRequest.sizeLimit)
    let client = try ControlClient(connectingTo: path)
    #expect(throws: ControlClient.Failure.self) { try client.ask(["do": .string(long)]) }
    let next = try ControlClient(connectingTo: path)
    #expect(try next.ask(["do": .string("list")])["ok"] == .bool(true))
    server.stop()
    test.host.stop()
  }
}
