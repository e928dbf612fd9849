// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@Suite struct RecordingTests {
  @Test func `a run that is recorded can be replayed with the same verdicts`() throws {
    let host = try Host()
    let file = try host.record()
    let info = try members(of: host.run("trace", "info", file, "--output", "json").output)
    #expect(info["events"] as? Int == 7)
    #expect((info["verdicts"] as? [String: Int])?["deny"] == 1)
    let replay = try host.run(
      "replay", file, "--plugins", host.plugins, "--set",
      #"kext-guard.deny=[{"id": "com.mandiant.monitor"}]"#)
    #expect(replay.status == 0)
    #expect(replay.errors.contains("7 replayed  denied 1"))
    #expect(replay.output == (try Checkout.golden("dialect-2018-mandiant-monitor.txt")))
  }

  @Test func `record only observes unless it is told to enforce`() throws {
    let host = try Host()
    let watched = host.scratch.file("watched.kemon")
    #expect(try host.run("record", "-w", watched, "--plugins", host.plugins).status == 0)
    var info = try members(of: host.run("trace", "info", watched, "--output", "json").output)
    #expect((info["verdicts"] as? [String: Int])?["deny"] == nil)
    let enforced = host.scratch.file("enforced.kemon")
    #expect(
      try host.run("record", "-w", enforced, "--plugins", host.plugins, "--mode", "enforce").status
        == 0)
    info = try members(of: host.run("trace", "info", enforced, "--output", "json").output)
    #expect((info["verdicts"] as? [String: Int])?["deny"] == 1)
  }

  @Test func `a recorder that is killed leaves a recording that says so`() throws {
    let host = try Host(plugins: [])
    let trace = Checkout.fixture("Recordings/sysdig.jsonl").path
    let source = host.scratch.file("source.kemon")
    _ = try host.run("trace", "import", "--from", "sysdig-json", trace, "-o", source)
    let file = host.scratch.file("killed.kemon")
    // The second event is a hundred seconds away.
    let program = Command(built: "kemon-host").path
    let script =
      "'\(program)' replay '\(source)' --speed 0.000000001x -w '\(file)' & sleep 2; kill -9 $!"
    _ = try #require(Command("bash")).run(["-c", script])
    let info = try host.run("trace", "info", file)
    #expect(info.status == 0, "\(info.errors)")
    #expect(info.output.contains(" bytes, 1 events\n"), "\(info.output)")
    #expect(info.output.contains("state: not closed"), "\(info.output)")
    #expect(
      try members(of: host.run("trace", "info", file, "-o", "json").output)["closed"] as? Bool
        == false)
    #expect(!(try host.run("trace", "info", source).output.contains("state:")))
  }

  @Test func `a driver that started is replayed with a rule against it, and ends refused`()
    throws
  {
    let host = try Host()
    let file = host.scratch.file("started.kemon")
    let recorded = try host.run("record", "-w", file, "--plugins", host.plugins)
    #expect(recorded.output.contains("status=0"))
    let replay = try host.run(
      "replay", file, "--plugins", host.plugins, "--set",
      #"kext-guard.deny=[{"id": "com.mandiant.*"}]"#)
    #expect(replay.output.contains("Patching the driver entry point!"))
    #expect(replay.output.contains("status=5") && !replay.output.contains("status=0"))
  }

  @Test func `a recording is never overwritten`() throws {
    let host = try Host()
    let file = try host.record()
    let before = try Data(contentsOf: URL(filePath: file))
    #expect(try host.run("record", "-w", file, "--plugins", host.plugins).status == 1)
    #expect(try Data(contentsOf: URL(filePath: file)) == before)
  }

  @Test func `of a file that is cut the good events are kept and the rest is named`() throws {
    let host = try Host()
    let file = try host.record()
    let bytes = try Data(contentsOf: URL(filePath: file))
    let cut = host.scratch.file("cut.kemon")
    try bytes.prefix(bytes.count - 6000).write(to: URL(filePath: cut))
    let result = try host.run("replay", cut, "--plugins", host.plugins)
    #expect(result.status == 2, "\(result.errors)")
    #expect(result.errors.contains("cut.kemon"))
  }

  @Test func `a file of another version is refused with both versions`() throws {
    let host = try Host()
    let file = try host.record()
    // The user version is a big-endian number at byte 60 of an SQLite file.
    var bytes = try Data(contentsOf: URL(filePath: file))
    bytes[63] = 77
    let other = host.scratch.file("other.kemon")
    try bytes.write(to: URL(filePath: other))
    let result = try host.run("trace", "info", other)
    #expect(result.status == 2)
    #expect(result.errors.contains("77"))
  }

  @Test func `a file that is no recording is bad data, a missing one is missing`() throws {
    let host = try Host(plugins: [])
    let text = try host.scratch.write("a text, long enough to be a header of something", to: "x")
    #expect(try host.run("trace", "info", text).status == 65)
    #expect(try host.run("trace", "info", host.scratch.file("nothing")).status == 66)
  }
}
