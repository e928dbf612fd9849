// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonPluginHost

@Suite struct HandlerRequestTests {
  private static let answers: Result<[String: String], any Error> = Result {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("registrations"), to: "registrations.so")
    let report = test.load()
    try #require(report.problems.isEmpty)
    var answers = [
      "handlers": report.loaded[0].handlers.map(\.name).joined(separator: " "),
      "logged": String(
        test.collector.logged.count { $0.hasPrefix("warn: registrations: registration refused: ") }),
      "misbehaviour": String(report.loaded[0].misbehaviour),
    ]
    for line in test.collector.lines {
      let parts = line.split(separator: ": ", maxSplits: 1).map(String.init)
      answers[parts[0]] = parts[1]
    }
    return answers
  }

  @Test(arguments: [
    ("good", "0 0:0 "), ("twice", "-1 0:0 handler \"good\" is registered already"),
    ("null", "-1 0:0 handler is NULL"), ("removed", "0 0:0 "), ("off", "0"), ("off again", "-4"),
    ("no name", "-1 0:0 the handler's name is NULL"),
    ("empty name", "-1 0:0 the handler's name is empty or has control characters"),
    ("escape in name", "-1 0:0 the handler's name is empty or has control characters"),
    (
      "reserved name",
      "-1 0:0 the handler's name \"host.mine\" begins with \"host.\", as the host's own do"
    ),
    ("name not text", "-1 0:0 the handler's name is not UTF-8"),
    ("no fn", "-1 0:0 handler \"no-fn\": fn is NULL"),
    ("no kind", "-1 0:0 handler \"no-kind\": kind is NULL"),
    (
      "misspelled kind",
      "-1 0:0 handler \"no-kind\": there is no kind \"file.opne\"; near: file.open"
    ),
    ("unknown kind", "-1 0:0 handler \"no-kind\": there is no kind \"nothing.like.this.exists\""),
    (
      "star inside",
      "-1 0:0 handler \"no-kind\": kind \"file.*.open\" has a * that is not at its end"
    ),
    (
      "no such phase", "-1 0:0 handler \"no-kind\": kind \"file.close\" has no phase pre, only post"
    ),
    ("bad phase", "-1 0:0 handler \"no-kind\": phase 9 is none of 0, 1, 2, 3"),
    ("unknown flags", "-2 0:0 handler \"flags\": unknown flags 0x80"),
    (
      "observe and shadow",
      "-1 0:0 handler \"flags\": KEMON_H_OBSERVE has no vote that KEMON_H_SHADOW could keep"
    ), ("bad on_fault", "-1 0:0 handler \"fault\": on_fault 7 is none of 0, 1, 2"),
    ("bad on_timeout", "-1 0:0 handler \"budget\": on_timeout 7 is none of 0, 1, 2"),
    (
      "long budget",
      "-1 0:0 handler \"budget\": timeout_ns 3600000000001 is more than an hour, 3600000000000"
    ),
    (
      "observer's budget",
      "-1 0:0 handler \"budget\": timeout_ns has no meaning with KEMON_H_OBSERVE: nobody waits"
    ),
    ("reserved", "-1 0:0 handler \"budget\": reserved2 is not zero"), ("budget", "0 0:0 "),
    ("unknown cache", "-2 0:0 handler \"cache\": unknown cache_fields 0x80000000"),
    ("cache", "0 0:0 "),
    ("first version", "0 0:0 "),
    ("too short", "-1 0:0 handler.size is 8, needed is at least 56, sizeof of the struct"),
    ("too long", "-1 0:0 handler.size is 1073741824, needed is at least 56, sizeof of the struct"),
    ("newer, tail zero", "0 0:0 "),
    (
      "newer, tail set",
      "-2 0:0 handler has 112 bytes, this host knows 104; what follows must be zero"
    ), ("small error buffer", "code 77"), ("no error buffer", "-1"), ("unknown extension", "NULL"),
    ("handlers", "good patient cached first newer"),
  ])
  func `what a plugin asks for is checked`(what: String, answer: String) throws {
    #expect(try Self.answers.get()[what] == answer)
  }

  @Test func `a bad filter is shown where it is bad`() throws {
    let answer = try #require(try Self.answers.get()["bad filter"])
    #expect(answer.hasPrefix("-1 1:21 handler \"filter\": filter: "))
  }

  @Test func `broken rules are counted, unsupported wishes are not`() throws {
    #expect(try Self.answers.get()["misbehaviour"] == "25")
    #expect(try Self.answers.get()["logged"] == "28", "the operator hears of every refusal")
  }
}
