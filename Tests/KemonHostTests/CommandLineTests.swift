// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@Suite struct CommandLineTests {
  @Test(arguments: [
    ["bogus"], ["--bogus"], ["run", "--dialect", "1999"], ["bench"], ["run", "--ring", "1"],
    ["events", "file.nothing"], ["trace", "import", "--from", "cards", "x", "-o", "y"],
    ["run", "--macos", "9.0"], ["replay", "x", "--speed", "-1x"],
  ])
  func `wrong usage is told with exit code 64`(arguments: [String]) throws {
    let result = try Command(built: "kemon-host").run(arguments)
    #expect(result.status == 64, "\(result.errors)")
    #expect(!result.errors.isEmpty)
    #expect(result.output == "")
  }

  @Test(arguments: [
    [], ["run"], ["record"], ["replay"], ["bench"], ["trace"], ["trace", "import"],
    ["trace", "info"], ["plugins"], ["plugins", "list"], ["plugins", "info"], ["events"],
    ["version"], ["hooks"], ["hooks", "survey"],
  ])
  func `every verb explains itself`(verb: [String]) throws {
    let result = try Command(built: "kemon-host").run(verb + ["--help"])
    #expect(result.status == 0)
    #expect(result.output.contains("USAGE: kemon-host"))
    #expect(result.output.contains("OVERVIEW"))
  }

  @Test func `the help of import tells how to make a trace`() throws {
    let result = try Command(built: "kemon-host").run(["trace", "import", "--help"])
    #expect(result.output.contains("sysdig -r"))
    #expect(result.output.contains("tcpdump"))
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `completion scripts are made`(shell: String) throws {
    let result = try Command(built: "kemon-host").run(["--generate-completion-script", shell])
    #expect(result.status == 0)
    #expect(result.output.contains("kemon-host"))
  }

  @Test func `events are listed, and their fields`() throws {
    let list = try Command(built: "kemon-host").run(["events", "--output", "json"])
    let kinds = try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [[String: Any]]
    #expect((kinds?.count ?? 0) >= 33)
    let one = try Command(built: "kemon-host").run(["events", "file.open"])
    #expect(one.output.contains("can be denied"))
    #expect(one.output.contains("path"))
  }

  @Test func `data and messages go their own ways`() throws {
    let result = try Command(built: "kemon-host").run(["version"])
    #expect(result.output.hasPrefix("kemon-host "))
    #expect(result.errors == "")
  }

  @Test func `a session that is missing and one that is wrong are told apart`() throws {
    let host = try Host(plugins: [])
    let missing = try host.run("--session", host.scratch.file("none"))
    #expect(missing.status == 66)
    let reason = "none: cannot be read: No such file or directory\n"
    #expect(missing.errors.hasSuffix(reason), "\(missing.errors)")
    let wrong = try host.run("--session", host.scratch.write("[]", to: "wrong.json"))
    #expect(wrong.status == 65)
  }

  @Test(.enabled(if: FileManager.default.isWritableFile(atPath: "/dev/full"), "needs /dev/full"))
  func `data that cannot be written is a failure`() throws {
    let host = try Host()
    for arguments in [["events"], ["version"], ["run", "--plugins", host.plugins]] {
      let result = try Command(built: "kemon-host").run(arguments, output: "/dev/full")
      #expect(result.status == 1)
      #expect(
        result.errors.contains("standard output: No space left on device"), "\(result.errors)")
    }
  }

  @Test(.enabled(if: Command.exists("script"), "needs script"), arguments: ["replay", "import"])
  func `long work tells a terminal how far it is`(verb: String) throws {
    let host = try Host(plugins: [])
    let arguments: [String]
    if verb == "import" {
      let trace = Checkout.fixture("Recordings/tracee.jsonl").path
      arguments = [
        "trace", "import", "--from", "tracee", trace, "-o", host.scratch.file("x.kemon"),
      ]
    } else {
      let trace = Checkout.fixture("Recordings/sysdig.jsonl").path
      let file = host.scratch.file("y.kemon")
      _ = try host.run("trace", "import", "--from", "sysdig-json", trace, "-o", file)
      // The recording lasts 0.7 microseconds.
      arguments = ["replay", file, "--speed", "0.000001x"]
    }
    let program = Command(built: "kemon-host").path
    let line = ([program] + arguments).joined(separator: " ")
    let shown = try #require(Command("script")).run(["-qec", "\(line) >/dev/null", "/dev/null"])
    #expect(shown.status == 0, "\(shown.text)")
    #expect(shown.output.contains("\r\u{1B}[K"), "\(shown.text)")
    #expect(shown.output.contains(verb == "import" ? "KiB read" : " events\r"), "\(shown.text)")
    let silent = try Command(built: "kemon-host").run(["trace", "info", "/nope"])
    #expect(!silent.errors.contains("\u{1B}"))
  }

  @Test func `a configuration that is wrong is told with its place`() throws {
    let host = try Host()
    let broken = try host.scratch.write("{\"plugins\": {", to: "broken.json")
    var result = try host.run("--plugins", host.plugins, "--config", broken)
    #expect(result.status == 78)
    #expect(result.errors.contains("line 1"))
    result = try host.run("--plugins", host.plugins, "--config", host.scratch.file("none"))
    #expect(result.status == 66)
    let list = try host.scratch.write(#"{"plugins": []}"#, to: "list.json")
    result = try host.run("--plugins", host.plugins, "--config", list)
    #expect(result.status == 78)
    #expect(result.errors.contains("\"plugins\": found an array"), "\(result.errors)")
    result = try host.run("--plugins", host.plugins, "--set", "kext-guard.deny=[{}]")
    #expect(result.status == 0)
    #expect(result.errors.contains("deny[0].id"), "\(result.errors)")
  }
}
