// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

/// Plugins whose handlers have a budget, from their loading to their end.
@Suite struct LimitedPluginTests {
  private static let ample = "-DBUDGET=600000000000"
  private static let short = "-DBUDGET=5000000"

  private func host(
    _ flags: [String], waitingAt descriptor: Int32? = nil, budgets: CallBudgets = CallBudgets()
  ) throws -> TestHost {
    let test = try TestHost(budgets: budgets)
    try test.folder.copy(Fixtures.build("limited", flags), to: "limited.so")
    let members = descriptor.map { ["fd": JSONValue.integer(Int64($0))] } ?? [:]
    let report = test.load(.object(["limited": .object(members)]))
    try #require(report.problems.isEmpty, "\(report.problems)")
    try #require(test.host.start().isEmpty)
    return test
  }

  private func statistics(_ test: TestHost) throws -> HandlerStatistics {
    try #require(test.dispatcher.handlerStatistics().first)
  }

  @Test func `a plugin knows which thread it is on, and how long it may think`() throws {
    let test = try host([Self.ample])
    test.open("/x")
    test.host.stop()
    let lines = test.collector.lines
    #expect(lines.contains("create: role \(KEMON_ROLE_CONTROL), left 0"))
    #expect(lines.contains("own thread: role \(KEMON_ROLE_OTHER), left 0"))
    #expect(lines.contains("observer: role \(KEMON_ROLE_OBSERVER), left 0"))
    let line = try #require(lines.first { $0.hasPrefix("handler: role \(KEMON_ROLE_LANE), left ") })
    let left = try #require(UInt64(line.split(separator: " ").last ?? ""))
    #expect((1...600_000_000_000).contains(left))
    #expect(test.host.plugins.first?.misbehaviour == 3, "asked on three threads without a budget")
    #expect(test.collector.logged.count { $0.contains("that is not [lane]") } == 3)
  }

  @Test func `without a budget the handler is called where the event is, and has all the time`()
    throws
  {
    let test = try host([])
    test.open("/x")
    test.host.stop()
    #expect(
      test.collector.lines.contains("handler: role \(KEMON_ROLE_LANE), left \(UInt64.max)"))
  }

  @Test func `the declared outcome holds when the time is over, and the plugin ends in order`()
    throws
  {
    var pipes: [Int32] = [0, 0]
    try #require(pipe(&pipes) == 0)
    defer { for end in pipes { close(end) } }
    let test = try host([Self.short], waitingAt: pipes[0])
    let verdict = test.open("/x")
    #expect(verdict.isDenied && verdict.decidedBy == 1)
    #expect(try statistics(test).timeouts == 1)
    #expect(try statistics(test).standing?.strikes == 1)
    write(pipes[1], "x", 1)
    test.host.stop()
    #expect(try statistics(test).standing?.lateAnswers == 1)
    #expect(test.collector.lines.last == "destroyed")
  }

  @Test func `three times late, and the handler decides nothing, which is told`() throws {
    var pipes: [Int32] = [0, 0]
    try #require(pipe(&pipes) == 0)
    defer { for end in pipes { close(end) } }
    let test = try host([Self.short], waitingAt: pipes[0])
    for _ in 0..<3 { #expect(test.open("/x").isDenied) }
    #expect(!test.open("/x").isDenied)
    #expect(
      test.collector.logged.last
        == "warn: host: handler act of plugin limited has failed 3 times within a minute (the last: "
        + "no answer in time): its votes are only recorded for 1 s")
    let token = try statistics(test).token
    #expect(test.dispatcher.resetStanding(token))
    #expect(test.collector.logged.last?.hasSuffix("count again") == true)
    #expect(test.open("/x").isDenied, "at once: four calls hang")
    write(pipes[1], "xxxx", 4)
    test.host.stop()
    #expect(try statistics(test).standing?.lateAnswers == 4)
  }

  @Test func `the operator gives and takes budgets`() throws {
    var budgets = CallBudgets()
    try budgets.add("limited/act=none")
    let free = try host([Self.short], budgets: budgets)
    free.open("/x")
    free.host.stop()
    #expect(free.collector.lines.contains { $0.hasSuffix("left \(UInt64.max)") })
    budgets = CallBudgets()
    try budgets.add("1s")
    let bound = try host([], budgets: budgets)
    bound.open("/x")
    bound.host.stop()
    #expect(!bound.collector.lines.contains { $0.hasSuffix("left \(UInt64.max)") })
  }

  @Test func `a plugin that is called one at a time has a budget without saying so`() throws {
    let test = try host(["-DCONCURRENCY=KEMON_CONC_SERIAL"])
    test.open("/x")
    test.host.stop()
    let line = try #require(test.collector.lines.first { $0.hasPrefix("handler: ") })
    let left = try #require(UInt64(line.split(separator: " ").last ?? ""))
    #expect((0...CallBudget.forTurns).contains(left))
    #expect(test.collector.lines.contains { $0.hasPrefix("observer: ") })
  }

  @Test func `a table that asks for what there is not is refused`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("limited", ["-DCONCURRENCY=7"]), to: "limited.so")
    let problem = try #require(test.load().problems.first)
    #expect(problem.rule == .loadTable && problem.found == "concurrency 7")
  }
}
