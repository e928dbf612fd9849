// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

@Suite struct PluginScannerTests {
  static let manifest = #"{"name": "minimal", "version": "1.0.0", "abi": 1}"#

  /// The one problem of a file.
  private func problem(_ file: String) throws -> PluginProblem {
    let problems = PluginScanner.inspect(file).problems
    try #require(problems.count == 1, "\(problems)")
    return problems[0]
  }

  @Test func `a good plugin is described without running it`() throws {
    let file = try Fixtures.build("voter")
    let inspection = PluginScanner.inspect(file)
    #expect(inspection.problems.isEmpty)
    #expect(inspection.manifest?.name == "voter")
    #expect(inspection.manifest?.version == "1.2.3")
    #expect(inspection.manifest?.extensions == ["kemon.config/1"])
    #expect(inspection.neededLibraries.contains("libc.so.6"))
    let data = try Data(contentsOf: URL(fileURLWithPath: file))
    #expect(inspection.size == data.count)
    #expect(try inspection.sha256 == Self.sha256sum(file))
  }

  @Test func `eight bad files give eight different messages and the good one is loaded`() throws {
    let test = try TestHost()
    let good = try Fixtures.goodBytes()
    try test.folder.copy(Fixtures.build("voter"), to: "0-good.so")
    try test.folder.write(Array("hello, world\n".utf8), to: "1-text.so")
    try test.folder.write([], to: "2-empty.so")
    try test.folder.write(Self.header32, to: "3-word.so")
    try test.folder.copy(Fixtures.minimal(nil), to: "4-foreign.so")
    let newer = #"{"name": "newer", "version": "1.0.0", "abi": 99}"#
    try test.folder.copy(Fixtures.minimal(newer), to: "5-newer.so")
    try test.folder.copy(Fixtures.build("failing"), to: "6-failing.so")
    chmod(try test.folder.write(good, to: "7-writable.so"), 0o777)
    try test.folder.write(Array(good.prefix(good.count / 2)), to: "8-cut.so")

    let configuration = try JSONValue(parsing: #"{"failing": {"at": "create"}}"#)
    let report = test.load(configuration)
    let found = report.problems.sorted { $0.file < $1.file }
    #expect(
      found.map(\.rule.id) == [
        "elf.magic", "file.empty", "elf.class", "manifest.missing", "manifest.abi",
        "create.failed", "file.writable", "elf.truncated",
      ])
    #expect(Set(found.map(\.message)).count == 8)
    for (problem, name) in zip(
      found,
      [
        "1-text", "2-empty", "3-word", "4-foreign", "5-newer", "6-failing", "7-writable", "8-cut",
      ])
    {
      #expect(problem.file == test.folder.file("\(name).so"))
    }
    #expect(report.loaded.map(\.name) == ["voter"])
    #expect(test.host.start().isEmpty)
    #expect(test.open("/etc/passwd").isDenied)
    test.host.stop()
  }

  @Test func `a text file is shown with its beginning`() throws {
    let folder = try ScratchFolder()
    let found = try problem(try folder.write(Array("#!/bin/sh\nexit 1\n".utf8), to: "x.so"))
    #expect(found.found == "text that begins with \"#!/bin/sh\"")
    #expect(found.description.contains("x.so"))
    #expect(found.description.hasSuffix("[elf.magic]"))
  }

  @Test func `a 32-bit library is named as such`() throws {
    let folder = try ScratchFolder()
    let found = try problem(try folder.write(Self.header32, to: "x.so"))
    #expect(found.found == "32-bit (ELFCLASS32)")
    #expect(found.needed == "64-bit (ELFCLASS64)")
  }

  @Test func `a library for another machine or byte order and an object file are named`() throws {
    let folder = try ScratchFolder()
    var bytes = try Fixtures.goodBytes()
    bytes[18] = 40
    #expect(try problem(folder.write(bytes, to: "arm.so")).found == "ARM")
    bytes[18] = 62
    bytes[16] = 1
    #expect(try problem(folder.write(bytes, to: "object.so")).rule.id == "elf.type")
    bytes[16] = 3
    bytes[5] = 2
    #expect(try problem(folder.write(bytes, to: "big.so")).found == "big-endian")
  }

  @Test func `links and pipes and folders are no plugins`() throws {
    let folder = try ScratchFolder()
    let file = try folder.copy(Fixtures.build("voter"), to: "real.so")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link.so"), withDestinationPath: file)
    #expect(try problem(folder.file("link.so")).rule.id == "file.link")
    mkfifo(folder.file("pipe.so"), 0o600)
    #expect(try problem(folder.file("pipe.so")).found == "a pipe")
    mkdir(folder.file("folder.so"), 0o755)
    #expect(try problem(folder.file("folder.so")).found == "a folder")
    #expect(try problem(folder.file("absent.so")).found == "ENOENT (No such file or directory)")
  }

  @Test func `a file that is too large is not even read`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write([0x7F], to: "large.so")
    truncate(file, off_t(SealedImage.sizeLimit) + 1)
    #expect(try problem(file).rule.id == "file.size")
  }

  @Test func `refused files leave nothing open`() async {
    await #expect(processExitsWith: .success) {
      func openFiles() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
      }
      let folder = try ScratchFolder()
      let good = try Fixtures.goodBytes()
      for index in 0..<20 { try folder.write(Array(good.dropLast(index)), to: "\(index).so") }
      try folder.write(good, to: "20.so")
      let before = try openFiles()
      for _ in 0..<10 {
        let scan = PluginScanner.scan([folder.path])
        try #require(scan.problems.count == 20, "nineteen are cut, one has a name that is taken")
      }
      try #require(try openFiles() == before)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func `a file or a folder of somebody else is refused`() throws {
    let folder = try ScratchFolder()
    let file = try folder.copy(Fixtures.build("voter"), to: "x.so")
    chown(file, 65534, 65534)
    #expect(try problem(file).rule.id == "file.owner")
    chown(file, 0, 0)
    chown(folder.path, 65534, 65534)
    #expect(try problem(file).rule.id == "directory.trust")
  }

  @Test func `a folder that others can change is refused`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("voter"), to: "x.so")
    chmod(test.folder.path, 0o777)
    let report = test.load()
    #expect(report.loaded.isEmpty)
    #expect(report.problems.map(\.rule.id) == ["directory.trust"])
    chmod(test.folder.path, 0o755)
    #expect(test.load().loaded.count == 1)
  }

  @Test func `a missing folder is a problem of its own`() {
    let scan = PluginScanner.scan(["/nonexistent/plugins"])
    #expect(scan.candidates.isEmpty)
    #expect(scan.problems.map(\.rule.id) == ["directory.open"])
  }

  @Test func `a file can be named instead of a folder`() throws {
    let scan = PluginScanner.scan([try Fixtures.build("voter")])
    #expect(scan.problems.isEmpty)
    #expect(scan.candidates.map(\.manifest.name) == ["voter"])
  }

  @Test func `files are found in the order of their names, and only libraries`() throws {
    let folder = try ScratchFolder()
    for name in ["c", "a", "b"] {
      let manifest = #"{"name": "\#(name)", "version": "1.0.0", "abi": 1}"#
      try folder.copy(Fixtures.minimal(manifest), to: "\(name).so")
    }
    try folder.write(Array("notes".utf8), to: "README.txt")
    let scan = PluginScanner.scan([folder.path])
    #expect(scan.problems.isEmpty)
    #expect(scan.candidates.map(\.manifest.name) == ["a", "b", "c"])
  }

  @Test func `everything in folders is described, the bad with its problems`() throws {
    let folder = try ScratchFolder()
    try folder.copy(Fixtures.build("voter"), to: "a.so")
    try folder.write([1, 2, 3], to: "b.so")
    let inspections = PluginScanner.inspect(directories: [folder.path, "/nonexistent"])
    #expect(inspections.map(\.file) == [folder.file("a.so"), folder.file("b.so"), "/nonexistent"])
    #expect(inspections.map(\.problems.count) == [0, 1, 1])
    #expect(inspections[1].problems[0].found == "the bytes 01 02 03")
  }

  @Test func `of two plugins with one name the second is refused`() throws {
    let folder = try ScratchFolder()
    try folder.copy(Fixtures.build("voter"), to: "a.so")
    try folder.copy(Fixtures.build("voter"), to: "b.so")
    let scan = PluginScanner.scan([folder.path])
    #expect(scan.candidates.map(\.file) == [folder.file("a.so")])
    #expect(scan.problems.map(\.rule.id) == ["plugin.duplicate"])
    #expect(scan.problems.first?.file == folder.file("b.so"))
    #expect(scan.problems.first?.found.contains("a.so") == true)
  }

  @Test(arguments: [
    (["-DWITHOUT_ENTRY"], "elf.entry"), (["-Wl,-z,execstack"], "elf.stack"),
    (["-DTEXT_RELOCATION", "-Wl,-z,notext"], "elf.textrel"),
    (["-Wl,-rpath,lib"], "elf.runpath"), ([#"-DMANIFEST_2="{}""#], "manifest.twice"),
    (["-fvisibility=hidden", "-DKEMON_EXPORT="], "elf.entry"),
  ])
  func `a library that breaks a rule is refused by it`(flags: [String], rule: String) throws {
    // The header would set KEMON_EXPORT again; a version script hides the entry just as well.
    let folder = try ScratchFolder()
    let script = try folder.write(Array("{ local: *; };".utf8), to: "hide.map")
    let flags =
      flags.contains("-DKEMON_EXPORT=") ? ["-Wl,--version-script=\(script)"] : flags
    #expect(try problem(Fixtures.minimal(Self.manifest, flags)).rule.id == rule)
  }

  @Test func `a manifest that is no JSON is shown with line and column`() throws {
    let found = try problem(Fixtures.minimal(#"{"name": oops}"#))
    #expect(found.rule.id == "manifest.json")
    #expect(found.found == "line 1, column 10: found 'o', needed is a value")
  }

  /// The first bytes of a 32-bit library, as `cc -m32` makes it.
  static let header32: [UInt8] =
    [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9) + [3, 0, 3, 0, 1, 0, 0, 0]
    + [UInt8](repeating: 0, count: 28)

  private static func sha256sum(_ file: String) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["sha256sum", file]
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(String(decoding: data, as: UTF8.self).prefix(64))
  }
}
