// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import KemonBus
import KemonEvents
import KemonPlatform
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

/// Plugins that are programs: Python's interpreter, with the module of the SDK.
@Suite(.enabled(if: Command("python3") != nil, "needs python3"))
struct ProgramPluginTests {
  private static let manifest =
    #"{"name": "probe", "version": "1.0.0", "abi": 1, "program": "probe.py", "interpreter": "python3"}"#

  private func start(
    _ configuration: String = "{}", manifest: String = manifest
  ) throws -> (test: TestHost, report: LoadReport) {
    let test = try TestHost()
    try FileManager.default.createDirectory(
      atPath: test.folder.file("probe"), withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o755])
    try test.folder.copy(Checkout.fixture("Programs/probe.py").path, to: "probe/probe.py")
    try test.folder.write(Array(manifest.utf8), to: "probe/kemon.json")
    let report = test.load(try JSONValue(parsing: #"{"probe": \#(configuration)}"#))
    if report.problems.isEmpty { #expect(test.host.start().isEmpty) }
    return (test, report)
  }

  @Test func `it votes, with reasons and codes`() throws {
    let (test, report) = try start()
    #expect(report.problems.isEmpty)
    #expect(report.loaded.first?.handlers.map(\.name) == ["guard", "watch"])
    let denied = test.open("/deny")
    #expect(denied.isDenied && denied.error == EACCES && denied.reasonCode == 1)
    #expect(test.open("/allow").action == .allow)
    #expect(test.open("/other").action == .abstain)
    let narrowed = test.open("/narrow")
    #expect(narrowed.action == .modify && narrowed.allowMask == 3)
    #expect(test.open("/without").allowMask == ~3)
    test.host.stop()
    #expect(test.collector.text.hasSuffix("stopped\n"))
    #expect(test.collector.logged.contains("warn: probe: created with []"))
  }

  @Test func `one that raises has failed, and the log has the traceback`() throws {
    let (test, _) = try start()
    #expect(test.open("/raise").isDenied, "its on_fault")
    #expect(test.open("/allow").action == .allow)
    test.host.stop()
    #expect(test.collector.logged.contains { $0.contains("RuntimeError: on purpose") })
    #expect(test.dispatcher.handlerStatistics().map(\.faults) == [1])
  }

  @Test(arguments: [("/true", "AttributeError"), ("/huge", "struct.error")])
  func `one that returns no verdict has failed, and goes on`(path: String, error: String) throws {
    let (test, _) = try start()
    #expect(test.open(path).isDenied, "its on_fault")
    #expect(test.open("/allow").action == .allow)
    test.host.stop()
    #expect(test.collector.logged.contains { $0.contains(error) })
    #expect(test.host.plugins[0].worker?.deaths == 0)
  }

  @Test func `one that cannot save goes on, and cannot be reloaded`() throws {
    let (test, _) = try start()
    test.open("/full")
    let problem = #expect(throws: PluginProblem.self) { try test.host.reload("probe") }
    #expect(problem?.rule == .saveFailed)
    #expect(test.open("/allow").action == .allow)
    test.host.stop()
    #expect(test.collector.logged.contains { $0.contains("RuntimeError: full") })
    #expect(test.host.plugins[0].worker?.deaths == 0)
  }

  @Test func `it observes everything, by the names of fields`() throws {
    let (test, _) = try start()
    for number in 0..<200 { test.open("/f\(number)", by: "/bin/cat") }
    test.open("/deny", by: "/bin/cp")
    test.host.stop()
    let lines = test.collector.text.split(separator: "\n").map(String.init)
    #expect(lines.count == 202)
    #expect(lines[0] == "file.open|pre|0|/bin/cat|/f0|0")
    #expect(lines[200] == "file.open|pre|0|/bin/cp|/deny|4")
    #expect(try #require(test.host.observerAccounts.first).isBalanced)
  }

  @Test func `what it had not shown when it ended is lost, and counted`() throws {
    let (test, _) = try start()
    var builder = RecordBuilder()
    for path in ["/leave"] + (0..<100).map({ "/f\($0)" }) {
      builder.begin(EventKind(KEMON_KIND_FILE_WRITE))
      builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text(path)))
      test.dispatcher.dispatch(&builder)
    }
    let worker = { test.host.plugins[0].worker ?? WorkerReport() }
    #expect(eventually { worker().deaths == 1 && worker().pid > 0 })
    test.open("/deny")
    test.host.stop()
    let shown = test.collector.text.split(separator: "\n").count { $0.contains("|") }
    let account = try #require(test.host.observerAccounts.first)
    #expect(account.isBalanced && account.delivered == shown && account.lost >= 1)
  }

  @Test func `it is confined as every worker`() throws {
    let (test, _) = try start()
    test.open("/reach")
    test.host.stop()
    let lines = test.collector.text.split(separator: "\n").filter { !$0.contains("|") }
    #expect(lines == ["fork no", "file no", "new no", "stopped"])
  }

  @Test func `one that ends is replaced, and goes on with its state`() throws {
    let (test, _) = try start()
    for _ in 0..<3 { test.open("/other") }
    let worker = try #require(test.host.state.withLock { $0.plugins[0].worker })
    #expect(eventually { worker.state.withLock { $0.saved == [3, 0, 0, 0, 0, 0, 0, 0] } })
    #expect(test.open("/die").isDenied)
    var denied = test.open("/deny")
    for _ in 0..<1000 where denied.error != EACCES {
      usleep(10_000)
      denied = test.open("/deny")
    }
    #expect(denied.reasonCode == 4)
    #expect(test.host.plugins[0].worker?.lastDeath.contains("status 3") == true)
    test.host.stop()
  }

  @Test(arguments: [
    (#"{"refuse": "no rules"}"#, "no rules"), (#"{"error": 1}"#, "ValueError: a mistake"),
  ])
  func `one that cannot be created says why`(configuration: String, reason: String) throws {
    let (_, report) = try start(configuration)
    #expect(report.problems.map(\.rule) == [.createFailed])
    #expect(report.problems.first?.found.contains(reason) == true)
  }

  @Test(arguments: [
    (#"{"name": "probe""#, "manifest.json"),
    (#"{"name": "probe", "version": "1.0.0", "abi": 1}"#, "manifest.text"),
    (#"{"name": "probe", "version": "1.0.0", "abi": 1, "program": "../x"}"#, "manifest.text"),
    (#"{"name": "probe", "version": "1.0.0", "abi": 1, "program": "no.py"}"#, "file.open"),
    (
      #"{"name": "probe", "version": "1.0.0", "abi": 1, "program": "probe.py", "interpreter": "/bin/sh"}"#,
      "manifest.text"
    ),
    (
      #"{"name": "probe", "version": "1.0.0", "abi": 1, "program": "probe.py", "isolation": "inproc"}"#,
      "manifest.isolation"
    ),
    (
      #"{"name": "Probe", "version": "1.0.0", "abi": 1, "program": "probe.py"}"#, "manifest.name"
    ),
  ])
  func `a folder that is no plugin is refused`(manifest: String, rule: String) throws {
    let (_, report) = try start(manifest: manifest)
    #expect(report.loaded.isEmpty)
    // Then there is nobody for the configuration, either.
    #expect(report.problems.map(\.rule.id).filter { $0 != "config.unknown" } == [rule])
  }
}
