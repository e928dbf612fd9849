// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@testable import KemonRecording

@Suite struct SantaImporterTests {
  func line(_ fields: String) -> String { "[2018-08-19T03:10:45.966Z] I santad: \(fields)\n" }

  func events(_ lines: String...) throws -> [String] {
    let imported = try importing("santa", lines.map(line).joined())
    #expect(imported.isBalanced && imported.report.isComplete)
    return imported.events
  }

  static let who =
    "pid=479|ppid=1|process=vim|processpath=/usr/bin/vim|uid=501|user=a|gid=20|group=staff"

  @Test func `an execution that was allowed has both sides, one that was denied the first`() throws
  {
    let fields =
      "reason=CERT|sha256=00|pid=479|ppid=1|uid=0|gid=0|mode=M|path=/bin/ls|args=/bin/ls -l a|b"
    let rest = #"argc=3 path=/bin/ls argv=["/bin/ls", "-l", "a|b"]"#
    #expect(
      try events("action=EXEC|decision=ALLOW|\(fields)", "action=EXEC|decision=DENY|\(fields)") == [
        "process.exec pre pid=479 verdict=allow \(rest)", "process.exec post pid=479 \(rest)",
        "process.exec pre pid=479 verdict=deny \(rest)",
      ])
  }

  @Test func `changes of files are read`() throws {
    #expect(
      try events(
        "action=WRITE|path=/a b|\(Self.who)", "action=DELETE|path=/c|\(Self.who)",
        "action=RENAME|path=/d|newpath=/e|\(Self.who)",
        "action=LINK|path=/f|newpath=/g|\(Self.who)",
        "action=EXCHANGE|path=/h|newpath=/i|\(Self.who)"
      ) == [
        "file.write post pid=479 path=/a b", "file.delete post pid=479 path=/c",
        "file.rename post pid=479 path=/d to=/e", "file.link post pid=479 path=/f to=/g",
        "file.exchange post pid=479 path=/h to=/i",
      ])
  }

  @Test func `bars and marks in names change nothing else`() throws {
    #expect(
      try events(
        "action=WRITE|path=/a<pipe>pid=1|\(Self.who)", "action=WRITE|path=\u{301}a|\(Self.who)",
        "action=WRITE|path=/a|\(Self.who)|action=DELETE|pid=1"
      ) == [
        "file.write post pid=479 path=/a|pid=1", "file.write post pid=479 path=\u{301}a",
        "file.write post pid=479 path=/a",
      ])
  }

  @Test func `a last line without an end may be cut, and its event says so`() throws {
    var flags: [Bool] = []
    let text = line("action=WRITE|path=/a|pid=5") + line("action=WRITE|path=/a/b|pid=5").dropLast(8)
    _ = try #require(TraceFormat.named("santa")).run(ImportInput(MemorySource(Array(text.utf8)))) {
      flags.append($0.isTruncated)
    }
    #expect(flags == [false, true])
  }

  @Test func `who did it is in the record, as far as Santa knows`() throws {
    var seen: [String] = []
    let text = line(
      "action=WRITE|path=/a|pid=5|ppid=3|process=fud|processpath=(null)|uid=501|gid=20")
    _ = try #require(TraceFormat.named("santa")).run(ImportInput(MemorySource(Array(text.utf8)))) {
      let who = $0.subject
      seen = ["\(who.pid) \(who.ppid) \(who.uid) \(who.gid)", $0.text(who.comm), $0.text(who.exe)]
      seen.append("\(who.exe.off) \($0.event.pointee.time_ns)")
    }
    #expect(seen == ["5 3 501 20", "fud", "", "0 1534648245966000000"])
  }

  @Test func `what is no event or is broken is told apart`() throws {
    let imported = try importing(
      "santa",
      line("action=DISKAPPEAR|mount=/|volume=HDD") + "[2018-08-19T03:13:12.253Z] *** QUOTA ***\n"
        + "no time\n" + "[yesterday] I santad: action=WRITE|path=/a\n" + line("action=WRITE|path")
        + "\n" + line("action=WRITE|path=/a|pid=5"))
    #expect(
      imported.report.skipped == [
        "no event kind for DISKAPPEAR": 1, "not an event": 1, "broken line": 3, "empty line": 1,
      ])
    #expect(imported.report.problems.map(\.place) == ["line 3", "line 4", "line 5"])
    #expect(imported.events == ["file.write post pid=5 path=/a"])
    #expect(imported.isBalanced && !imported.report.isComplete)
  }
}

@Suite struct TimeStampTests {
  @Test(
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.5Z", 500_000_000),
      ("2018-08-19T03:09:13.120Z", 1_534_648_153_120_000_000),
      ("2000-02-29T23:59:59.999999999Z", 951_868_799_999_999_999),
      ("2100-03-01T00:00:00Z", 4_107_542_400_000_000_000),
      ("2553-12-31T23:59:60.999999999Z", 18_429_292_800_999_999_999),
    ] as [(Substring, UInt64)])
  func `times are nanoseconds since 1970`(text: Substring, expected: UInt64) {
    #expect(TimeStamp.nanoseconds(text) == expected)
  }

  @Test(
    arguments: [
      "", "2018-08-19", "2018-08-19 03:09:13Z", "2018-13-01T00:00:00Z", "2018-00-01T00:00:00Z",
      "2018-01-01T24:00:00Z", "2018-01-01T00:60:00Z", "1969-12-31T23:59:59Z",
      "2018-01-01T00:00:00.Z",
      "2018-01-01T00:00:00.1234567890Z", "2018-01-01T00:00:00+0100", "20x8-01-01T00:00:00Z",
      "2018-01-01T00:00:00,5Z", "2554-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    ] as [Substring])
  func `other texts are no times`(text: Substring) {
    #expect(TimeStamp.nanoseconds(text) == nil)
  }
}
