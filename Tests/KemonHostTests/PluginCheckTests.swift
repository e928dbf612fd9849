// SPDX-License-Identifier: Apache-2.0

import Foundation
import FoundationXML
import KemonTestSupport
import Testing

/// `plugins check`, tried on plugins that are good and on plugins that each break one rule.
@Suite(.enabled(if: Command("cc") != nil, "needs a C compiler")) struct PluginCheckTests {
  /// What a file of the corpus needs beside the usual flags.
  private static let flags = [
    "static.loader": ["-Wl,-z,execstack"], "static.relro": ["-Wl,-z,norelro"],
  ]

  private static let corpus = Checkout.fixture("BadPlugins")

  /// Rules of programs: each has one that breaks it, beside a manifest that is not the one of all.
  private static let programs = Checkout.fixture("BadPrograms")
  static let programRules =
    ((try? FileManager.default.contentsOfDirectory(atPath: programs.path)) ?? [])
    .filter { $0.hasSuffix(".py") }.map { String($0.dropLast(3)) }.sorted()

  static let rules = ((try? FileManager.default.contentsOfDirectory(atPath: corpus.path)) ?? [])
    .filter { $0.hasSuffix(".c") }.map { String($0.dropLast(2)) }.sorted()

  private func build(_ rule: String, in scratch: ScratchFolder) throws -> String {
    let library = scratch.file("\(rule).so")
    let result = try #require(Command("cc")).run(
      [
        "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden",
        "-I", Checkout.sdk.appending(path: "include").path,
        Self.corpus.appending(path: "\(rule).c").path, "-o", library,
      ] + (Self.flags[rule] ?? []))
    try #require(result.status == 0, "\(result.text)")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: library)
    return library
  }

  /// Builds a plugin that is nobody's example.
  private func build(
    _ name: String, as definitions: String, in scratch: ScratchFolder
  ) throws -> String {
    let source = try scratch.write("\(definitions)\n#include \"bad.h\"\n", to: "\(name).c")
    let library = scratch.file("\(name).so")
    let result = try #require(Command("cc")).run([
      "-std=gnu11", "-shared", "-fPIC", "-fvisibility=hidden", "-I", Self.corpus.path, "-I",
      Checkout.sdk.appending(path: "include").path, source, "-o", library,
    ])
    try #require(result.status == 0, "\(result.text)")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: library)
    return library
  }

  private func check(
    _ file: String, in scratch: ScratchFolder, _ arguments: [String] = []
  ) throws -> (status: Int32, checks: [[String: Any]]) {
    let result = try Command(built: "kemon-host").run(
      ["plugins", "check", file, "--output", "json", "--save", scratch.path] + arguments)
    let report = try members(of: result.output)
    return (result.status, try #require(report["checks"] as? [[String: Any]]))
  }

  @Test(arguments: rules) func `a bad plugin fails with its rule and no other`(rule: String) throws
  {
    let scratch = try ScratchFolder()
    let (status, checks) = try check(try build(rule, in: scratch), in: scratch, ["--only-failed"])
    #expect(checks.compactMap { $0["id"] as? String } == [rule], "\(checks)")
    #expect(status == 3)
  }

  @Test func `every check has a plugin that it finds`() throws {
    let list = try Command(built: "kemon-host").run(["plugins", "check", "--list", "-o", "json"])
    let rows = try JSONSerialization.jsonObject(with: Data(list.output.utf8))
    let ids = try #require(rows as? [[String: Any]]).compactMap { $0["id"] as? String }
    #expect(ids.sorted() == (Self.rules + Self.programRules).sorted())
  }

  @Test(.enabled(if: Command.exists("python3"), "needs python3"), arguments: programRules)
  func `a bad program fails with its rule and no other`(rule: String) throws {
    let scratch = try ScratchFolder()
    let folder = scratch.url.appending(path: "program")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    let interpreter = rule == "program.loader" ? "no-such-python" : "python3"
    try """
    {"name": "bad", "version": "1.0.0", "abi": 1, "program": "bad.py", "interpreter": "\(interpreter)"}
    """.write(to: folder.appending(path: "kemon.json"), atomically: true, encoding: .utf8)
    try FileManager.default.copyItem(
      at: Self.programs.appending(path: "\(rule).py"), to: folder.appending(path: "bad.py"))
    let (status, checks) = try check(folder.path, in: scratch, ["--only-failed"])
    #expect(checks.compactMap { $0["id"] as? String } == [rule], "\(checks)")
    #expect(status == 3)
  }

  @Test(.enabled(if: Command.exists("python3"), "needs python3"))
  func `the example in Python passes, and rules of libraries are not asked`() throws {
    let scratch = try ScratchFolder()
    let folder = Checkout.sdk.appending(path: "examples/minimal-python").path
    let (status, checks) = try check(folder, in: scratch)
    #expect(status == 0)
    let ids = checks.filter { $0["outcome"] as? String == "passed" }.compactMap {
      $0["id"] as? String
    }
    #expect(ids.sorted() == Self.programRules)
    let none = try Command(built: "kemon-host").run([
      "plugins", "check", folder, "--include", "perf.*",
    ])
    #expect(none.status == 66)
    #expect(none.errors.contains("none of these checks is for this sort of plugin"))
  }

  @Test(arguments: Host.shipped) func `a plugin that we ship passes`(name: String) throws {
    let scratch = try ScratchFolder()
    let (status, checks) = try check(Products.plugin(name), in: scratch)
    let failed = checks.filter { $0["outcome"] as? String == "failed" }
    #expect(failed.isEmpty, "\(failed)")
    #expect(status == 0)
    #expect(checks.count { $0["outcome"] as? String == "passed" } > 35)
  }

  @Test(arguments: [("minimal-c", "cc", "c"), ("minimal-cxx", "c++", "cc")])
  func `an example passes`(name: String, compiler: String, ending: String) throws {
    let scratch = try ScratchFolder()
    let library = scratch.file("lib\(name).so")
    let source = Checkout.sdk.appending(path: "examples/\(name)/plugin.\(ending)").path
    let result = try #require(Command(compiler)).run([
      "-shared", "-fPIC", "-fvisibility=hidden", "-I",
      Checkout.sdk.appending(path: "include").path, source, "-o", library,
    ])
    try #require(result.status == 0, "\(result.text)")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: library)
    let (status, checks) = try check(library, in: scratch, ["--only-failed"])
    #expect(checks.isEmpty, "\(checks)")
    #expect(status == 0)
  }

  @Test func `a crash is saved as a recording of its one event`() throws {
    let scratch = try ScratchFolder()
    let library = try build("contract.events", in: scratch)
    let (_, checks) = try check(library, in: scratch, ["--include", "contract.events"])
    let failed = try #require(checks.last)
    #expect(failed["id"] as? String == "contract.events")
    let message = try #require(failed["message"] as? String)
    #expect(message.contains("SIGSEGV in handler \"open\" of file.open pre"))
    let recording = try #require(failed["recording"] as? String)
    let info = try Command(built: "kemon-host").run(["trace", "info", recording])
    #expect(info.status == 0 && info.output.contains("file.open"), "\(info.text)")
    // Only what the wanted check needs has run.
    #expect(!checks.contains { $0["id"] as? String == "perf.event" })
  }

  @Test func `a hang ends with the time limit`() throws {
    let scratch = try ScratchFolder()
    let library = try build("hang", as: "#define ON_OPEN for (;;) sink++", in: scratch)
    let (status, checks) = try check(
      library, in: scratch, ["--include", "contract.events", "--timeout", "2"])
    #expect(status == 3)
    let message = try #require(checks.last?["message"] as? String)
    #expect(message.contains("does not return in handler \"open\""))
  }

  @Test func `a plugin that hangs ends with the checker, and has so much time at most`() throws {
    let scratch = try ScratchFolder()
    let fifo = scratch.file("fifo")
    let library = try build(
      "hang",
      as: """
        #include <sys/resource.h>
        #define ON_OPEN                                                          \\
          struct rlimit limit;                                                   \\
          getrlimit(RLIMIT_CPU, &limit);                                         \\
          dprintf(open("\(fifo)", O_WRONLY), "%d\\n", limit.rlim_cur < 1000000); \\
          alarm(120);                                                            \\
          for (;;)                                                               \\
            sink++
        """, in: scratch)
    // The pipe ends when nobody has it open any more.
    let script = """
      mkfifo \(fifo)
      "$0" plugins check \(library) --include contract.events --save \(scratch.path) &
      exec 4< \(fifo)
      read -r isLimited <&4
      kill -KILL $!
      timeout 60 cat <&4 && echo "ended $isLimited"
      """
    let result = try #require(Command("bash"))
      .run(["-c", script, Products.folder.appending(path: "kemon-host").path])
    #expect(result.output == "ended 1\n", "\(result.text)")
  }

  @Test func `a plugin cannot take away what the check says`() throws {
    let scratch = try ScratchFolder()
    let library = try build("shrink", as: "#define CREATE sink += ftruncate(3, 0)", in: scratch)
    let (status, checks) = try check(library, in: scratch, ["--include", "contract.events"])
    #expect(status == 0, "\(checks)")
  }

  @Test(arguments: ["0", "-1", "86401", "20000000000"])
  func `a time limit that is none is a mistake`(seconds: String) throws {
    let result = try Command(built: "kemon-host").run([
      "plugins", "check", Products.plugin("kext-guard"), "--timeout=\(seconds)",
    ])
    #expect(result.status == 64)
    #expect(result.errors.contains("--timeout needs 1 to 86400 seconds"), "\(result.text)")
  }

  @Test func `the same seed makes the same events`() throws {
    let scratch = try ScratchFolder()
    let library = try build("robustness.fuzz", in: scratch)
    let recordings = try (0..<2).map { _ in
      let (_, checks) = try check(
        library, in: scratch, ["--include", "robustness.fuzz", "--reproduce", "7"])
      let recording = try #require(checks.last?["recording"] as? String)
      let shown = try Command(built: "kemon-host").run([
        "replay", recording, "--plugins", Products.plugin("event-log"), "-o", "jsonl", "-q",
      ])
      #expect(shown.status == 0, "\(shown.text)")
      // An event without a time gets that of its replay.
      return shown.output.replacing(/"time_ns":\d+/, with: "")
    }
    #expect(recordings[0] == recordings[1] && !recordings[0].isEmpty)
  }

  @Test func `JUnit has a case for every check and the failure's text`() throws {
    let scratch = try ScratchFolder()
    let library = try build("contract.verdict", in: scratch)
    let result = try Command(built: "kemon-host").run([
      "plugins", "check", library, "--output", "junit", "--include", "contract.verdict",
    ])
    let document = try XMLDocument(xmlString: result.output)
    let suite = try #require(document.rootElement())
    let cases = suite.elements(forName: "testcase")
    #expect(suite.attribute(forName: "tests")?.stringValue == String(cases.count))
    #expect(suite.attribute(forName: "failures")?.stringValue == "1")
    let failure = try #require(cases.last?.elements(forName: "failure").first)
    #expect(failure.attribute(forName: "message")?.stringValue?.contains("action 9") == true)
  }

  @Test func `a pattern that names no check is a mistake`() throws {
    let result = try Command(built: "kemon-host").run([
      "plugins", "check", Products.plugin("kext-guard"), "--include", "contact.*",
    ])
    #expect(result.status == 64)
    #expect(result.errors.contains("there is no such check"))
  }
}
