// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// `plugins new` and `plugins test`, as somebody who writes their first plugin uses them.
@Suite struct NewPluginTests {
  /// How a language's README says to build, and where the library is then.
  struct Language: CustomTestStringConvertible, Sendable {
    let name: String
    let needs: [String]
    let build: [String]
    let library: String
    /// The file and the text in it that decides whom it denies.
    let file: String
    /// Whether it can be tried here.
    var isThere: Bool { needs.allSatisfy(Command.exists) }
    var testDescription: String { name }

    static let c = Language(
      name: "c", needs: ["make", "cc"], build: ["make"], library: "libno-secrets.so",
      file: "plugin.c")
    static let cxx = Language(
      name: "c++", needs: ["make", "c++"], build: ["make"], library: "libno-secrets.so",
      file: "plugin.cc")
    static let rust = Language(
      name: "rust", needs: ["cargo"], build: ["cargo", "build", "--release", "--offline"],
      library: "target/release/libno_secrets.so", file: "src/lib.rs")
    static let swift = Language(
      name: "swift", needs: ["swift"],
      build: ["swift", "build", "-c", "release", "--product", "no-secrets"],
      library: ".build/release/libno-secrets.so", file: "Sources/NoSecrets/Plugin.swift")
    static let python = Language(
      name: "python", needs: ["python3"], build: ["true"], library: ".", file: "plugin.py")
  }

  private func shell(_ folder: String, _ words: [String]) throws -> Command.Result {
    let script = words.map { "'\($0)'" }.joined(separator: " ")
    return try #require(Command("bash"))
      .run(["-c", "umask 022; cd '\(folder)' && \(script)"])
  }

  private func host(_ arguments: String...) throws -> Command.Result {
    try Command(built: "kemon-host").run(arguments)
  }

  @Test(.enabled(if: Language.c.isThere, "needs make and cc"), arguments: [false, true])
  func `a new plugin in C builds, keeps every rule, passes its tests and denies`(
    isChanged: Bool
  ) throws { try tryNewPlugin(in: .c, isChanged: isChanged) }

  @Test(.enabled(if: Language.cxx.isThere, "needs make and c++"), arguments: [false, true])
  func `a new plugin in C++ does`(isChanged: Bool) throws {
    try tryNewPlugin(in: .cxx, isChanged: isChanged)
  }

  @Test(.enabled(if: Language.rust.isThere, "needs cargo"), arguments: [false, true])
  func `a new plugin in Rust does`(isChanged: Bool) throws {
    try tryNewPlugin(in: .rust, isChanged: isChanged)
  }

  @Test(.enabled(if: Language.python.isThere, "needs python3"), arguments: [false, true])
  func `a new plugin in Python does`(isChanged: Bool) throws {
    try tryNewPlugin(in: .python, isChanged: isChanged)
  }

  // A package of Swift takes minutes to build: once is enough.
  @Test(.enabled(if: Language.swift.isThere, "needs swift"))
  func `a new plugin in Swift does`() throws { try tryNewPlugin(in: .swift, isChanged: false) }

  private func tryNewPlugin(in language: Language, isChanged: Bool) throws {
    let scratch = try ScratchFolder()
    let folder = scratch.file("no-secrets")
    let made = try host(
      "plugins", "new", "no-secrets", "--lang", language.name, "--into", folder)
    #expect(made.status == 0, "\(made.text)")
    #expect(made.output.contains("\(folder)/README.md"))
    if isChanged {
      // One line of the plugin, as the README says.
      let file = folder + "/" + language.file
      let text = try String(contentsOfFile: file, encoding: .utf8)
      #expect(text.contains("for root only"))
      try text.replacing("for root only", with: "hands off")
        .write(toFile: file, atomically: true, encoding: .utf8)
    }
    let built = try shell(folder, language.build)
    #expect(built.status == 0, "\(built.text)")
    #expect(!built.text.contains("warning"), "\(built.text)")
    let library = folder + "/" + language.library

    let checked = try host("plugins", "check", library, "--only-failed", "--save", scratch.path)
    #expect(checked.status == 0, "\(checked.text)")

    let tested = try host("plugins", "test", folder)
    #expect(tested.status == (isChanged ? 3 : 0), "\(tested.text)")
    #expect(
      tested.output
        == (isChanged
          ? """
          FAILED  configured
                  event 3: reason is "hands off", expected is "for root only"
          FAILED  secrets
                  event 1: reason is "hands off", expected is "for root only"

          """ : "ok      configured\nok      secrets\n"))
    guard !isChanged else { return }

    let recording = scratch.file("files.kemon")
    #expect(
      try host("record", "--session", "file-ops", "-q", "--write", recording).status == 0)
    let parity = Parity(
      plugin: library, name: "no-secrets", settings: ["secret": "\"/etc/hosts\""])
    #expect(try parity.check(recording).map(\.verdict) == ["deny"])

    // In the kernel model somebody who is not root opens /etc/hosts.
    let session = try host(
      "run", "--session", "file-ops", "--plugins", library, "--set",
      "no-secrets.secret=/etc/hosts", "--require", "no-secrets")
    #expect(session.errors.contains("open /etc/hosts: EACCES"), "\(session.text)")
  }

  @Test func `update writes what is decided now, and then the test passes`() throws {
    try #require(Command.exists("make") && Command.exists("cc"))
    let scratch = try ScratchFolder()
    let folder = scratch.file("my-own")
    #expect(try host("plugins", "new", "my-own", "--into", folder).status == 0)
    #expect(try shell(folder, ["make"]).status == 0)
    let expected = folder + "/tests/secrets/expected.json"
    try "{\"events\": 9, \"decided\": [{\"event\": 2, \"verdict\": \"allow\"}]}"
      .write(toFile: expected, atomically: true, encoding: .utf8)
    let failed = try host("plugins", "test", folder, "--only", "secrets")
    #expect(failed.status == 3)
    #expect(failed.output.contains("4 events, expected are 9"))
    #expect(failed.output.contains("event 2: no decision, expected is {\"verdict\": \"allow\"}"))
    #expect(failed.output.contains("event 1: {"))
    let updated = try host("plugins", "test", folder, "--update")
    #expect(updated.output.contains("updated  secrets"))
    #expect(try host("plugins", "test", folder).status == 0)
    let text = try String(contentsOfFile: expected, encoding: .utf8)
    #expect(text.contains("\"verdict\": \"deny\", \"errno\": \"EACCES\""), "\(text)")
    #expect(text.contains("\"votes\": {\"open\": \"deny\"}"), "\(text)")
  }

  @Test(arguments: [
    ("{\"kind\": \"file.opne\"}", "there is no kind \"file.opne\"; near: file.open"),
    ("{\"kind\": \"file.open\"}", "\"phase\" is needed"),
    (
      "{\"kind\": \"file.open\", \"phase\": \"pre\", \"paht\": \"/\"}",
      "file.open has no \"paht\"; near: path"
    ),
    (
      "{\"kind\": \"file.open\", \"phase\": \"pre\", \"path\": 1}",
      "\"path\": found an integer, which is no str"
    ),
    ("{\"kind\": \"file.open\", \"phase\": \"pre\", \"uid\": -1}", "\"uid\": found -1"),
    ("[1]", "found an array, needed is an object"), ("{", "column 2"),
  ])
  func `a line that is no event is named`(line: String, message: String) throws {
    let scratch = try ScratchFolder()
    let test = scratch.url.appending(path: "tests/first")
    try FileManager.default.createDirectory(at: test, withIntermediateDirectories: true)
    try "\n\(line)\n".write(
      to: test.appending(path: "events.jsonl"), atomically: true, encoding: .utf8)
    try "{\"events\": 1, \"decided\": []}".write(
      to: test.appending(path: "expected.json"), atomically: true, encoding: .utf8)
    let result = try host(
      "plugins", "test", scratch.path, "--plugin", Products.plugin("kext-guard"))
    #expect(result.status == 66)
    #expect(result.errors.contains("events.jsonl: line 2: "), "\(result.errors)")
    #expect(result.errors.contains(message), "\(result.errors)")
  }

  @Test func `events as event-log writes them are read back as they were`() throws {
    let host = try Host()
    let recording = try host.record()
    let test = host.scratch.url.appending(path: "tests/all")
    try FileManager.default.createDirectory(at: test, withIntermediateDirectories: true)
    let lines = try host.run(
      "replay", recording, "--plugins", Products.plugin("event-log"), "-o", "jsonl", "-q")
    #expect(lines.status == 0)
    try lines.output.write(
      to: test.appending(path: "events.jsonl"), atomically: true, encoding: .utf8)
    let arguments = [
      "plugins", "test", host.scratch.path, "--plugin", Products.plugin("kext-guard"),
    ]
    let config = test.appending(path: "config.json")
    try "{\"deny\": [{\"id\": \"com.mandiant.monitor\"}]}"
      .write(to: config, atomically: true, encoding: .utf8)
    #expect(try Command(built: "kemon-host").run(arguments + ["--update"]).status == 0)
    let expected = test.appending(path: "expected.json")
    let fromLines = try String(contentsOf: expected, encoding: .utf8)
    #expect(fromLines.contains("\"verdict\": \"deny\""))
    // The recording itself gives the same.
    try FileManager.default.copyItem(
      atPath: recording, toPath: test.appending(path: "recording.kemon").path)
    #expect(try Command(built: "kemon-host").run(arguments).status == 0)
  }

  @Test func `what cannot be begun is said`() throws {
    let scratch = try ScratchFolder()
    for (arguments, message) in [
      (["No"], "is no name of a plugin"),
      (["ok", "--lang", "cobol"], "there are c, c++, python, rust, swift"),
      (["ok", "--sdk", "/nowhere"], "is no plugin SDK"),
      (["ok", "--into", Checkout.root.path], "is not empty"),
    ] {
      let more = arguments.contains("--into") ? [] : ["--into", scratch.file("new")]
      let result = try Command(built: "kemon-host").run(["plugins", "new"] + arguments + more)
      #expect(result.status == 1)
      #expect(result.errors.contains(message), "\(result.errors)")
    }
  }
}
