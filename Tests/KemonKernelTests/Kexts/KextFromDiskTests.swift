// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@testable import KemonKernel

extension OneKernel {
  @Suite struct KextFromDiskTests {
    private func session(_ file: String) throws -> Session {
      let json = """
        {"name": "disk", "process": {"pid": 59, "uid": 0, "comm": "kextd"},
         "steps": [{"load": {"file": "\(file)"}}]}
        """
      return try Session(
        json: Array(json.utf8), file: Checkout.fixture("Kexts/session.json").path)
    }

    @Test func `a kext on disk is loaded, and plugins are asked`() throws {
      let (result, seen) = try play(try session("linked-x86_64"))
      #expect(result.steps.map(\.outcome) == [.done("com.example.linked")])
      let pre = try #require(seen.first { $0.kind == "kext.start" })
      #expect(pre.name == "com.example.linked")
      #expect(pre.version == "1.0.2")
      #expect(pre.base == Session.Kext.firstBase)
      #expect(pre.size == 0x2238)
      #expect(pre.path == Checkout.fixture("Kexts/linked-x86_64").path)
    }

    @Test func `a denied kext on disk is not started`() throws {
      let (result, _) = try play(
        try session("linked-x86_64"), Rules(denied: ["com.example.linked": 1]))
      #expect(result.steps.map(\.outcome.failure) == ["0xdc008017"])
      #expect(result["com.example.linked"]?.bodyRuns == 0)
    }

    @Test(arguments: [
      ("linked-arm64", "no whole slice for x86_64"), ("linked.c", "needed is 0xfeedfacf"),
      ("nowhere.kext", "cannot be read: No such file or directory"),
    ])
    func `what is no kext of this machine is refused`(_ file: String, _ reason: String) throws {
      let (result, seen) = try play(try session(file))
      #expect(result.steps.map(\.outcome.failure) == ["0xdc008007"])
      #expect(result.steps[0].outcome.text.contains(reason), "\(result.steps[0].outcome.text)")
      #expect(!seen.contains { $0.kind == "kext.start" })
    }

    @Test func `kexts that need each other are refused, on disk too`() throws {
      let scratch = try ScratchFolder()
      for (id, needed) in [
        ("self", "self"), ("a", "b"), ("b", "a"), ("file", "declared"),
        ("com.apple.kpi.own", "com.apple.kpi.own"),
      ] {
        try write(id, needing: needed, to: scratch.file("\(id).kext"))
      }
      let steps = ["self", "a", "b", "file", "com.apple.kpi.own"].map {
        "{\"load\": {\"file\": \"\($0).kext\"}}"
      }
      let json = """
        {"name": "disk", "process": {"pid": 59, "uid": 0, "comm": "kextd"},
         "kexts": [\(kext("declared", needs: ["file": "1"]))],
         "steps": [\(steps.joined(separator: ","))]}
        """
      let (result, seen) = try play(
        try Session(json: Array(json.utf8), file: scratch.file("session.json")))
      // When a is loaded there is no b yet.
      #expect(result.steps.map(\.outcome.failure) == Array(repeating: "0xdc00800e", count: 5))
      let loops = seen.filter { $0.text.contains("has a dependency loop") }
      #expect(loops.map(\.text.first) == ["K", "K", "K", "K"])
    }

    @Test func `a kext on disk makes no chain longer than a session may have`() throws {
      let scratch = try ScratchFolder()
      try write("last", needing: "k0", to: scratch.file("last.kext"))
      let chain = (0..<100).reversed().map {
        kext("k\($0)", needs: $0 < 99 ? ["k\($0 + 1)": "1"] : [:])
      }
      for steps in [
        "{\"load\": {\"file\": \"last.kext\"}}",
        "{\"load\": \"k0\"}, {\"load\": {\"file\": \"last.kext\"}}",
      ] {
        let json = """
          {"name": "disk", "process": {"pid": 59, "uid": 0, "comm": "kextd"},
           "kexts": [\(chain.joined(separator: ","))], "steps": [\(steps)]}
          """
        let (result, seen) = try play(
          try Session(json: Array(json.utf8), file: scratch.file("session.json")))
        #expect(result.steps.last?.outcome.failure == "0xdc00800e")
        #expect(seen.contains { $0.text.contains("more than 100 kexts need each other in a row") })
      }
    }

    @Test func `behind a kext at the end of the address space there is no place`() throws {
      let json = """
        {"name": "disk", "process": {"pid": 59, "uid": 0, "comm": "kextd"},
         "kexts": [{"id": "high", "version": "1.0", "path": "/high.kext",
                    "base": "0xfffffffffffff000", "size": "0xfff"}],
         "steps": [{"load": "high"}, {"load": {"file": "linked-x86_64"}}]}
        """
      let (result, _) = try play(
        try Session(json: Array(json.utf8), file: Checkout.fixture("Kexts/session.json").path))
      #expect(result.steps.map(\.outcome.failure) == [nil, "0xdc008007"])
      #expect(result.steps[1].outcome.text.contains("do not fit in the kernel's address space"))
    }

    /// Writes a bundle.
    private func write(_ id: String, needing library: String, to bundle: String) throws {
      try FileManager.default.createDirectory(
        atPath: "\(bundle)/Contents/MacOS", withIntermediateDirectories: true)
      var builder = MachOBuilder()
      builder.imports = []
      try Data(builder.bytes).write(to: URL(filePath: "\(bundle)/Contents/MacOS/driver"))
      let plist = """
        <?xml version="1.0" encoding="UTF-8"?>
        <plist version="1.0"><dict>
        <key>CFBundleIdentifier</key><string>\(id)</string>
        <key>CFBundleVersion</key><string>1.0</string>
        <key>CFBundleExecutable</key><string>driver</string>
        <key>OSBundleLibraries</key><dict><key>\(library)</key><string>1.0</string></dict>
        </dict></plist>
        """
      try Data(plist.utf8).write(to: URL(filePath: "\(bundle)/Contents/Info.plist"))
    }
  }
}
