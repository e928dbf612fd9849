// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonPluginHost

/// Handlers with named arguments, from a plugin in C to its calls.
@Suite struct TypedHandlerTests {
  private static let answers: Result<[String: String], any Error> = Result {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("typed"), to: "typed.so")
    let report = test.load()
    try #require(report.problems.isEmpty)
    try #require(test.host.start().isEmpty)
    var answers: [String: String] = [:]
    func take(_ prefix: String) {
      for line in test.collector.lines.dropFirst(answers.count) {
        let parts = line.split(separator: ": ", maxSplits: 1).map(String.init)
        answers[prefix + parts[0]] = parts[1]
      }
    }
    take("")
    let verdict = test.open("/etc/shadow", flags: 0x40001, mode: 0o640, uid: 7)
    take("call ")
    answers["denied"] = verdict.isDenied ? "\(verdict.error)" : "no"
    answers["lanes"] = report.loaded[0].handlers.map { $0.lane?.rawValue ?? "-" }.joined(
      separator: " ")
    test.host.stop()
    return answers
  }

  @Test(arguments: [
    ("open", "0 0:0 "), ("double", "0 0:0 "), ("words", "0 0:0 "),
    ("pattern, optional", "0 0:0 "),
    (
      "misspelled",
      "-1 2:2 handler \"misspelled\": signature: file.open has no \"flgas\"; near: flags"
    ),
    (
      "sign",
      "-1 1:6 handler \"sign\": signature: \"mode\" of file.open is u32 since schema revision 1, "
        + "i is int32_t; what fits: I, l, L, n, d"
    ),
    (
      "text as number",
      "-1 1:6 handler \"text as number\": signature: \"path\" of file.open is str since schema "
        + "revision 1, L is uint64_t; what fits: z, b"
    ),
    (
      "list as text",
      "-1 1:6 handler \"list as text\": signature: \"argv\" of process.exec is list since schema "
        + "revision 1, z is const char *; what fits: b"
    ),
    (
      "pattern",
      "-1 1:1 handler \"pattern\": signature: \"flags\" is not in file.will_rename, file.rename and "
        + "2 more of \"file.*\" but in file.open, file.create and 4 more; write flags? to go without "
        + "it there"
    ),
    (
      "syntax",
      "-1 1:14 handler \"syntax\": signature: \"q\" is no type; types are c C h H i I l L n p f d, "
        + "z, b, e, * and a number, {…}"
    ),
    (
      "result",
      "-1 1:11 handler \"result\": signature: a handler returns kemon_status; results are for "
        + "services"
    ),
    (
      "both",
      "-1 0:0 handler \"both\": with a signature typed is the function and fn is NULL"
    ),
    (
      "no function",
      "-1 0:0 handler \"no function\": with a signature typed is the function and fn is NULL"
    ),
    ("no signature", "-1 0:0 handler \"no signature\": typed is set, signature is NULL"),
    (
      "operation",
      "-1 0:0 handler \"operation\": there is no kind \"mac.vnode_check_open\""
    ),
    ("call open", "ctx /etc/shadow 0x40001 7 0"),
    ("call double", "ctx /etc/shadow 262145 - - 416"),
    ("call words", "ctx /etc/shadow 0x40001 7"),
    ("denied", "13"),
    ("lanes", "fast ffi words fast"),
  ])
  func `what a plugin asks for by name is checked, and what it gets`(
    what: String, answer: String
  ) throws {
    #expect(try Self.answers.get()[what] == answer)
  }

  @Test func `a description says how the function is called and what is there`() throws {
    let text = try #require(try Self.answers.get()["describe"])
    #expect(text.hasPrefix("0 {"))
    for part in [
      #""lane": "fast""#, #""signature": "path:z to?:z""#, #""kind": "file.open""#,
      #""missing": ["to"]"#, #""phase": "post""#, #""name": "path""#,
    ] {
      #expect(text.contains(part), "\(part) in \(text)")
    }
    let short = try #require(try Self.answers.get()["describe, short"])
    #expect(short.hasPrefix("-6 the description needs "))
  }
}
