// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// "Event transport": a C client gets the original's messages from a run and from a replay.
@Suite(.enabled(if: Command.exists("cc"), "needs cc"))
struct ServeOriginalTests {
  /// The client of the SDK, compiled.
  private func client(in folder: ScratchFolder) throws -> String {
    let program = folder.file("client")
    let compiler = try #require(Command("cc"))
    let result = try compiler.run([
      "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I",
      Checkout.sdk.appending(path: "include").path,
      Checkout.sdk.appending(path: "examples/original-client/client.c").path, "-o", program,
    ])
    #expect(result.status == 0, "\(result.text)")
    return program
  }

  /// Runs the program with clients at its socket; returns what each client wrote, and the program's own words.
  private func serve(
    _ host: Host, _ arguments: [String], clients: Int = 1
  ) throws -> (clients: [String], host: Command.Result) {
    let socket = host.scratch.file("kemon.sock")
    let program = try client(in: host.scratch)
    let outputs = (0..<clients).map { host.scratch.file("client-\($0)") }
    let wait = "while [ ! -S '\(socket)' ]; do sleep 0.01; done"
    let starts = outputs.map { "'\(program)' '\(socket)' > '\($0)' &" }.joined(separator: "\n")
    let shell = try #require(Command("sh"))
    let words = arguments.map { "'\($0)'" }.joined(separator: " ")
    let result = try shell.run([
      "-c",
      """
      '\(Products.folder.appending(path: "kemon-host").path)' \(words) --serve-original '\(socket)' \
        --await-clients \(clients) &
      host=$!
      \(wait)
      \(starts)
      wait $host; status=$?
      wait
      exit $status
      """,
    ])
    #expect(!FileManager.default.fileExists(atPath: socket), "the socket is gone")
    return (try outputs.map { try String(contentsOfFile: $0, encoding: .utf8) }, result)
  }

  private static let query = """
    type=0x42 bytes=2643 uid=501 process(pid 2612)=Google Chrome parent(ppid 1)=launchd \
    localhost:10863-->192.168.1.1:53 query=safebrowsing.googleapis.com
    type=0x41 bytes=2648 uid=501 process(pid 2612)=Google Chrome parent(ppid 1)=launchd \
    localhost:10863<->192.168.1.1:53

    """

  @Test func `two clients see the query of the slide`() throws {
    let host = try Host(plugins: [])
    let (clients, result) = try serve(host, ["run", "--session", "dns-query"], clients: 2)
    #expect(result.status == 0, "\(result.errors)")
    #expect(clients == [Self.query, Self.query])
    #expect(result.errors.contains("1: 2 messages = 2 sent + 0 lost"))
    #expect(result.errors.contains("2: 2 messages = 2 sent + 0 lost"))
    #expect(result.errors.contains("original: ") && result.errors.contains("balanced"))
  }

  @Test func `a denied driver is seen by a client of a replay`() throws {
    let host = try Host()
    let recording = try host.record()
    let (clients, result) = try serve(host, ["replay", recording, "--quiet"])
    #expect(result.status == 0, "\(result.errors)")
    let lines = try #require(clients.first).split(separator: "\n")
    #expect(lines.count == 2)
    let start = "uid=0 process(pid 59)=kextd parent(ppid 1)=launchd"
    let name = "name=com.mandiant.monitor path="
    #expect(lines[0].hasPrefix("type=0x61 bytes=5184 \(start) status=0 \(name)/Applications/"))
    #expect(
      lines[1]
        == "type=0x62 bytes=5184 \(start) status=5 \(name) version=0.9.2 "
        + "base=0xffffff7f8e0cd000 size=0x16000")
  }

  @Test func `a socket that cannot be is said, and nothing is run`() throws {
    let host = try Host(plugins: [])
    let file = try host.scratch.write("precious", to: "file")
    let result = try host.run("run", "--serve-original", file)
    #expect(result.status == 1)
    #expect(result.errors.contains("--serve-original \(file): is there and is no socket"))
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "precious")
    let alone = try host.run("run", "--await-clients", "1")
    #expect(alone.status == 64 && alone.errors.contains("needs --serve-original"))
  }
}
