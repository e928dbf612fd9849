// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents
import KemonFakeHost
import KemonTestSupport
import Testing

/// The examples, built as their READMEs say.
@Suite(.serialized) struct ExampleTests {
  private static let examples = Checkout.sdk.appending(path: "examples")

  /// What each example does, in a fake host.
  private func check(_ library: String, _ name: String) throws {
    let host = FakeHost()
    let plugin = try PluginLibrary(path: library).run(in: host)
    defer { plugin.stop() }
    let handler = try #require(host.handlers.first)
    #expect(handler.phase == .pre)
    switch name {
    case "minimal-cxx":
      let exec = Samples.exec(KEMON_KIND_PROCESS_EXEC_PRE)
      for _ in 0..<1000 { #expect(host.vote(exec).first?.action == .abstain) }
      let last = try #require(host.vote(exec).first)
      #expect(last.action == .deny && last.error == 11)
    default:
      #expect(handler.filter == "path ^= '/etc/shadow'")
      let user = Samples.file(KEMON_KIND_FILE_OPEN_PRE, "/etc/shadow")
      let denial = try #require(host.vote(user).first)
      #expect(denial.action == .deny && denial.error == 13)
      #expect(denial.reason == "for root only")
      let root = Samples.file(
        KEMON_KIND_FILE_OPEN_PRE, "/etc/shadow", by: Actor(pid: 2, "sh", uid: 0))
      #expect(host.vote(root).first?.action == .allow)
    }
    #expect(throws: PluginLibrary.Failure.self) {
      try PluginLibrary(path: library).hello(majors: 2...3)
    }
  }

  private func build(_ name: String, _ flags: [String]) throws {
    let isCXX = name == "minimal-cxx"
    let folder = try ScratchFolder()
    let library = folder.file("lib\(name).so")
    let source = Self.examples.appending(path: "\(name)/plugin.\(isCXX ? "cc" : "c")").path
    let compiler = try #require(Command(isCXX ? "c++" : "cc"))
    let result = try compiler.run(
      ["-std=\(isCXX ? "c++17" : "c11")", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared"]
        + ["-fPIC", "-fvisibility=hidden"] + flags + [source, "-o", library])
    #expect(result.status == 0, "\(result.text)")
    try check(library, name)
  }

  @Test(
    .enabled(if: Command.exists("cc") && Command.exists("c++"), "needs cc and c++"),
    arguments: ["minimal-c", "minimal-cxx"])
  func `it builds with a plain compiler`(name: String) throws {
    try build(name, ["-I", Checkout.sdk.appending(path: "include").path])
  }

  /// Installs the SDK and returns the prefix.
  private func install() throws -> ScratchFolder {
    let prefix = try ScratchFolder()
    let build = try ScratchFolder()
    let cmake = try #require(Command("cmake"))
    for arguments in [
      ["-S", Checkout.sdk.path, "-B", build.url.path],
      ["--install", build.url.path, "--prefix", prefix.url.path],
    ] {
      let result = try cmake.run(arguments)
      #expect(result.status == 0, "\(result.text)")
      #expect(!result.text.contains("Warning"), "\(result.text)")
    }
    return prefix
  }

  @Test(
    .enabled(
      if: Command.exists("cmake") && Command.exists("pkg-config"), "needs cmake and pkg-config"))
  func `the installed SDK serves pkg-config`() throws {
    let prefix = try install()
    let path = ["PKG_CONFIG_PATH": prefix.file("share/pkgconfig")]
    let pkgConfig = try #require(Command("pkg-config"))
    let version = try pkgConfig.run(["--modversion", "kemon-plugin"], environment: path)
    #expect(version.output == "\(KEMON_ABI_MAJOR).\(KEMON_ABI_MINOR).0\n")
    let flags = try pkgConfig.run(["--cflags", "kemon-plugin"], environment: path)
    #expect(flags.status == 0, "\(flags.text)")
    let words = flags.output.split(whereSeparator: \.isWhitespace).map(String.init)
    for name in ["minimal-c", "minimal-cxx"] { try build(name, words) }
    let map = try pkgConfig.run(["--variable=exports", "kemon-plugin"], environment: path)
    let exports = map.output.split(separator: "\n").joined()
    #expect(FileManager.default.fileExists(atPath: exports), "\(exports)")
  }

  @Test(
    .enabled(if: Command.exists("cmake"), "needs cmake"), arguments: ["minimal-c", "minimal-cxx"])
  func `the installed SDK serves CMake`(name: String) throws {
    let prefix = try install()
    let build = try ScratchFolder()
    let cmake = try #require(Command("cmake"))
    for arguments in [
      [
        "-S", Self.examples.appending(path: name).path, "-B", build.url.path,
        "-DCMAKE_PREFIX_PATH=\(prefix.url.path)",
      ], ["--build", build.url.path],
    ] {
      let result = try cmake.run(arguments)
      #expect(result.status == 0, "\(result.text)")
    }
    try check(build.file("lib\(name).so"), name)
  }

  @Test(.enabled(if: Command.exists("swift"), "needs swift"), .timeLimit(.minutes(10)))
  func `the example in Swift builds as a package of its own`() throws {
    let folder = try ScratchFolder()
    let swift = try #require(Command("swift"))
    let result = try swift.run([
      "build", "--package-path", Self.examples.appending(path: "minimal-swift").path,
      "--scratch-path", folder.url.path, "--product", "minimal-swift",
    ])
    #expect(result.status == 0, "\(result.text)")
    try check(folder.file("debug/libminimal-swift.so"), "minimal-swift")
  }

  @Test(arguments: ["minimal-c", "minimal-cxx", "minimal-swift"])
  func `it is short and has a README`(name: String) throws {
    let folder = Self.examples.appending(path: name)
    let files = try #require(FileManager.default.enumerator(atPath: folder.path))
    var lines = 0
    for case let file as String in files
    where [".c", ".cc", ".swift"].contains(where: file.hasSuffix) && file != "Package.swift" {
      let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
      lines += text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
    }
    #expect(lines > 0 && lines < 55)
    #expect(FileManager.default.fileExists(atPath: folder.appending(path: "README.md").path))
  }
}
