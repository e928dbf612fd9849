// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonKernel
import Testing

@Suite struct SessionTests {
  private static let process = #""process": {"pid": 1, "ppid": 0, "uid": 0, "comm": "x"}"#
  private static let good =
    #"{"id": "a", "version": "1.0", "path": "/a.kext", "base": "0x1000", "size": 16}"#

  private static func with(kexts: String, more: String = "") -> String {
    #"{"name": "n", \#(process), "kexts": [\#(kexts)]\#(more)}"#
  }

  @Test func `the embedded session is that of the talk`() {
    let session = Session.mandiantMonitor
    #expect(session.name == "mandiant-monitor")
    #expect(session.release == .macOS10_13_6)
    #expect(session.process.pid == 59)
    #expect(session.process.comm == "kextd")
    #expect(session.load == ["com.mandiant.monitor"])
    #expect(session.kexts.map(\.base) == [0xffff_ff7f_8e0c_d000])
    #expect(session.kexts.map(\.size) == [0x16000])
  }

  @Test func `what is left out has a value`() throws {
    let session = try Session(json: Array(Self.with(kexts: Self.good).utf8), file: "f")
    #expect(session.release == .macOS10_13_6)
    #expect(session.process.gid == 0)
    #expect(session.process.parent == nil)
    #expect(session.load == ["a"])
    let kext = try #require(session.kexts.first)
    #expect(kext.base == 0x1000)
    #expect(kext.size == 16)
    #expect(kext.status == 0)
    #expect(kext.isExecutable)
    #expect(kext.libraries.isEmpty)
  }

  @Test(
    arguments: [
      ("", "", "JSON"),
      ("[]", "", "object"),
      ("{", "", "JSON"),
      (#"{"name": "n", \#(process)}"#, "", "\"kexts\" is missing"),
      (with(kexts: good, more: #", "lod": []"#), "", "\"lod\" is not known here; known are name"),
      (with(kexts: #"{"id": "a"}"#), "kexts[0]", "\"version\" is missing"),
      (
        with(
          kexts: good + "," + good.replacing(#""a""#, with: #""b""#).replacing("16", with: "-1")),
        "kexts[1].size", "64 bits"
      ),
      (with(kexts: good.replacing("0x1000", with: "1000")), "kexts[0].base", "0x16000"),
      (with(kexts: good.replacing("0x1000", with: "0xffffffffffffffff")), "kexts[0].size", "fit"),
      (with(kexts: good.replacing("16", with: "0")), "kexts[0].size", "0 bytes"),
      (with(kexts: good.replacing("1.0", with: "one")), "kexts[0].version", "not a kext version"),
      (with(kexts: good.replacing("/a.kext", with: "a.kext")), "kexts[0].path", "absolute"),
      (
        with(kexts: good.replacing(#""a""#, with: "\"" + String(repeating: "x", count: 64) + "\"")),
        "kexts[0].id", "64 bytes"
      ),
      (with(kexts: good.replacing(#""a""#, with: #""""#)), "kexts[0].id", "0 bytes"),
      (with(kexts: good + "," + good), "kexts[1].id", "twice"),
      (with(kexts: good, more: #", "load": ["b"]"#), "load[0]", "none of the session's kexts"),
      (with(kexts: good, more: #", "load": [1]"#), "load[0]", "a text"),
      (
        with(kexts: good, more: #", "release": "9"# + #"0"# + #"""#), "release", "known are 10.11.6"
      ),
      (
        with(kexts: good.dropLast() + #", "libraries": {"a": "1"}}"#), "kexts[0].libraries",
        "a -> a"
      ),
      (
        with(kexts: good.dropLast() + #", "status": 4294967296}"#), "kexts[0].status", "Int32"
      ),
      (
        with(kexts: good.dropLast() + #", "executable": 1}"#), "kexts[0].executable",
        "true or false"
      ),
      (
        #"{"name": "n", "process": {"pid": "1"}, "kexts": []}"#, "process.pid",
        "a whole number in the range of Int32"
      ),
      (#"{"name": null, \#(process), "kexts": []}"#, "name", "null found, needed is a text"),
    ] as [(String, String, String)])
  func `a bad file is refused with the place and what is needed`(
    _ json: String, _ path: String, _ needed: String
  ) throws {
    let error = try #require(throws: SessionError.self) {
      try Session(json: Array(json.utf8), file: "bad.json")
    }
    #expect(error.file == "bad.json")
    #expect(error.path == path)
    #expect(error.message.contains(needed), "\(error)")
    #expect(error.description.hasPrefix("bad.json: "))
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
