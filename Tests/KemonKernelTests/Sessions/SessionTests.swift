// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonKernel
import KemonText
import Testing

@Suite struct SessionTests {
  private static let process = #""process": {"pid": 1, "ppid": 0, "uid": 0, "comm": "x"}"#
  private static let good =
    #"{"id": "a", "version": "1.0", "path": "/a.kext", "base": "0x1000", "size": 16}"#

  private static func with(kexts: String, more: String = "") -> String {
    "{\"name\": \"n\", \(process),\n\"kexts\": [\(kexts)]\(more)}"
  }

  @Test func `the embedded session is that of the talk`() {
    let session = Session.mandiantMonitor
    #expect(session.name == "mandiant-monitor")
    #expect(session.release == .macOS10_13_6)
    #expect(session.process.pid == 59)
    #expect(session.process.comm == "kextd")
    #expect(session.steps.map(\.text) == ["load com.mandiant.monitor"])
    #expect(session.kexts.map(\.base) == [0xffff_ff7f_8e0c_d000])
    #expect(session.kexts.map(\.size) == [0x16000])
  }

  @Test func `what is left out has a value`() throws {
    let session = try Session(json: Array(Self.with(kexts: Self.good).utf8), file: "f")
    #expect(session.release == .macOS10_13_6)
    #expect(session.process.gid == 0)
    #expect(session.process.parent == nil)
    #expect(session.steps.map(\.text) == ["load a"])
    let kext = try #require(session.kexts.first)
    #expect(kext.base == 0x1000)
    #expect(kext.size == 16)
    #expect(kext.status == 0)
    #expect(kext.isExecutable)
    #expect(kext.libraries.isEmpty)
  }

  /// The session above with something replaced; "»" marks where the error must be.
  private static func with(_ old: String, _ new: String, more: String = "") -> String {
    with(kexts: good.replacing(old, with: new), more: more)
  }

  @Test(
    arguments: [
      ("»", "", "the text ends here, needed is a value"),
      ("»[]", "", "needed is an object"),
      ("{»", "", "the text ends here"),
      ("{\"name\":\n »}", "", "found '}', needed is a value"),
      (#"»{"kexts": []}"#, "", "\"name\" is missing"),
      (#"»{"name": "n"}"#, "", "\"process\" is missing"),
      (with(kexts: good, more: #", »"lod": []"#), "", "not known here; known are $schema, name"),
      (with(kexts: good, more: #", »"lod": []"#), "", "did you mean load"),
      (with(kexts: #"»{"id": "a"}"#), "kexts[0]", "\"version\" is missing"),
      (
        with(
          kexts: good + "," + good.replacing(#""a""#, with: #""b""#).replacing("16", with: "»-1")),
        "kexts[1].size", "64 bits"
      ),
      (with(#""0x1000""#, #"»"1000""#), "kexts[0].base", "0x16000"),
      (with(#""0x1000", "size": "#, #""0xffffffffffffffff", "size": »"#), "kexts[0].size", "fit"),
      (with("16", "»0"), "kexts[0].size", "0 bytes"),
      (with(#""1.0""#, #"»"one""#), "kexts[0].version", "not a kext version"),
      (with(#""/a.kext""#, #"»"a.kext""#), "kexts[0].path", "absolute"),
      (with(#""a""#, "»\"" + String(repeating: "x", count: 64) + "\""), "kexts[0].id", "64 bytes"),
      (with(#""a""#, #"»"""#), "kexts[0].id", "0 bytes"),
      (with(#""a""#, #"»"a\u0000""#), "kexts[0].id", "without NUL"),
      (with(kexts: good + "," + good.replacing(#""a""#, with: #"»"a""#)), "kexts[1].id", "twice"),
      (
        with(kexts: good, more: #", "load": [»"b"]"#), "load[0]",
        "\"b\" is none of the session's kexts"
      ),
      (with(kexts: good, more: #", "load": [»1]"#), "load[0]", "the identifier of a kext"),
      (
        with(kexts: good, more: #", "steps": [{»"unlaod": "a"}]"#), "steps[0]",
        "did you mean unload?"
      ),
      (with(kexts: good, more: #", "steps": [»{}]"#), "steps[0]", "0 members found, needed is one"),
      (
        with(kexts: good, more: #", "steps": [{"load": {"kext": "a", "as": »"y"}}]"#),
        "steps[0].load.as", "\"y\" is none of the session's processes"
      ),
      (
        with(kexts: good, more: ", \"release\": »\"90\""), "release",
        "\"90\" is not known; known are 10.11.6"
      ),
      (with("16", #"16, "libraries": »{"a": "1"}"#), "kexts[0].libraries", "a -> a"),
      (with("16", #"16, "status": »4294967296"#), "kexts[0].status", "-2147483648 to 2147483647"),
      (with("16", #"16, "executable": »1"#), "kexts[0].executable", "true or false"),
      (
        #"{"name": "n", "process": {"pid": »"1"}, "kexts": []}"#, "process.pid",
        "text found, needed is a whole number"
      ),
      (#"{"name": »null, \#(process), "kexts": []}"#, "name", "null found, needed"),
      (
        with(kexts: good, more: #", "processes": [»{"pid": 1, "uid": 0, "comm": "y"}]"#),
        "processes[0]", "process 1 is there twice"
      ),
      (
        with(kexts: good, more: #", "steps": [{"fork": »{"child": "c"}}]"#), "steps[0].fork",
        "\"pid\" is missing"
      ),
      (
        with(kexts: good, more: #", "steps": [{"fork": {"child": »"x", "pid": 7}}]"#),
        "steps[0].fork.child", "twice"
      ),
      (
        with(
          kexts: good,
          more: #", "steps": [{"fork": {"child": "c", "pid": 7}}, {"exit": {"as": »"d"}}]"#),
        "steps[1].exit.as", "none of the session's processes"
      ),
      (
        with(kexts: good, more: #", "images": [»{"path": "/a", "cached": true}]"#), "images[0]",
        "only a library"
      ),
    ] as [(String, String, String)])
  func `a bad file is refused with the place and what is needed`(
    _ marked: String, _ path: String, _ needed: String
  ) throws {
    let parts = marked.split(separator: "»", omittingEmptySubsequences: false)
    let lines = try #require(parts.first).split(separator: "\n", omittingEmptySubsequences: false)
    let place = TextPlace(line: lines.count, column: (lines.last?.count ?? 0) + 1)
    let error = try #require(throws: SessionError.self) {
      try Session(json: Array(parts.joined().utf8), file: "bad.json")
    }
    #expect(error.file == "bad.json")
    #expect(error.place == place)
    #expect(error.path == path)
    #expect(error.message.contains(needed), "\(error)")
    #expect(error.description.hasPrefix("bad.json:\(place.line):\(place.column): "))
  }

  @Test func `steps name who acts`() throws {
    let json = """
      {"name": "n", "process": {"pid": 59, "uid": 0, "comm": "kextd"},
       "processes": [{"pid": 7, "ppid": 2, "uid": 501, "comm": "bash", "name": "shell"}],
       "kexts": [\(Self.good)],
       "load": ["a"],
       "steps": [{"load": {"kext": "a", "as": "shell"}},
                 {"load": "a"}]}
      """
    let session = try Session(json: Array(json.utf8), file: "f")
    #expect(session.steps.map(\.process.pid) == [59, 7, 59])
    #expect(session.steps.map(\.line) == [4, 5, 6])
    #expect(session.steps.map(\.text) == ["load a", "load a", "load a"])
    #expect(session.processes.map(\.ppid) == [1, 2])
  }

  @Test func `kexts that nobody asks for are not loaded when there are steps`() throws {
    let session = try Session(
      json: Array(Self.with(kexts: Self.good, more: #", "steps": []"#).utf8), file: "f")
    #expect(session.steps.isEmpty)
  }

  @Test func `a circle of kexts is named`() throws {
    let kexts = [
      kext("a", needs: ["b": "1"]), kext("b", needs: ["c": "1"]), kext("c", needs: ["b": "1"]),
    ]
    let error = try #require(throws: SessionError.self) {
      try session(kexts.joined(separator: ","))
    }
    #expect(error.message.contains("b -> c -> b"))
  }

  @Test func `chains without end and wide diamonds are harmless`() throws {
    let chain = (0..<200).map { kext("k\($0)", needs: $0 < 199 ? ["k\($0 + 1)": "1"] : [:]) }
    let error = try #require(throws: SessionError.self) {
      try session(chain.joined(separator: ","))
    }
    #expect(error.message.contains("in a row"))
    // The order of the list does not count.
    #expect(throws: SessionError.self) { try session(chain.reversed().joined(separator: ",")) }
    #expect(try session(chain.suffix(100).joined(separator: ",")).kexts.count == 100)
    let diamonds = (0..<60).flatMap { level -> [String] in
      let needs = level < 59 ? ["a\(level + 1)": "1", "b\(level + 1)": "1"] : [:]
      return [kext("a\(level)", needs: needs), kext("b\(level)", needs: needs)]
    }
    #expect(try session(diamonds.joined(separator: ",")).kexts.count == 120)
  }

  @Test func `a file that is not there is an error with its name`() throws {
    let error = try #require(throws: SessionError.self) {
      try Session(contentsOf: "/nonexistent/session.json")
    }
    #expect(error.file == "/nonexistent/session.json")
    #expect(error.message.contains("cannot be read"))
  }

  @Test func `a session is read from a file`() throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("kemon-session-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(Self.with(kexts: Self.good).utf8).write(to: file)
    #expect(try Session(contentsOf: file.path).kexts.map(\.id) == ["a"])
  }
}
