// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

@Suite struct EventFilterTests {
  @Test(
    arguments: [
      ("path == '/etc/hosts'", true), ("path != '/etc/hosts'", false), ("path ^= '/etc/'", true),
      ("path ^= '/etc/hosts/'", false), ("path ^= ''", true), ("path == \"/etc/hosts\"", true),
      ("pid == 100", true), ("pid != 100", false), ("pid in (1, 2)", false),
      ("uid in (0, 501)", true), ("not uid in (0, 501)", false), ("comm == 'cat'", true),
      ("exe ^= '/'", false), ("ppid == 1 and uid == 501", true),
      ("uid == 0 or pid == 100", true), ("uid == 0 or pid == 100 and ppid == 7", false),
      ("(uid == 0 or pid == 100) and ppid == 1", true),
      ("not (uid == 0) and not path ^= '/usr'", true), ("not not pid == 100", true),
      ("path ^= '/etc/' and not uid in (0, 5)", true), ("uid==501 and pid==100", true),
      ("gid == 4294967295", true),
    ] as [(String, Bool)])
  func `conditions hold as written`(text: String, expected: Bool) throws {
    var builder = RecordBuilder()
    makeOpen("/etc/hosts", &builder)
    #expect(try EventFilter(parsing: text).matches(builder.view) == expected)
  }

  @Test func `either path of a rename matches`() throws {
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_FILE_RENAME_PRE))
    let (from, to) = (builder.text("/tmp/a"), builder.text("/etc/b"))
    builder.setPayload(kemon_file_pair(dev: 0, ino: 0, path: from, to: to))
    builder.seal()
    #expect(try EventFilter(parsing: "path ^= '/etc/'").matches(builder.view))
    #expect(try EventFilter(parsing: "path ^= '/tmp/'").matches(builder.view))
    #expect(!(try EventFilter(parsing: "path ^= '/usr/'").matches(builder.view)))
  }

  @Test func `a kind without a path has none`() throws {
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_NET_CONNECT_PRE))
    builder.seal()
    #expect(!(try EventFilter(parsing: "path ^= ''").matches(builder.view)))
    #expect(try EventFilter(parsing: "path != '/x'").matches(builder.view))
  }

  @Test(
    arguments: [
      ("", 1, "needed is path, exe"), ("path", 5, "needs ==, != or ^="),
      ("path == /etc", 9, "text in quotes"), ("path == '/etc", 9, "no closing quote"),
      ("uid in 5", 8, "in needs a list"), ("uid in (1", 10, "needed is , or )"),
      ("uid == five", 8, "needed is a number, found 'five'"), ("(uid == 1", 10, "needed is )"),
      ("uid == 1 pid == 2", 10, "'pid' stands behind the end"),
      ("colour == 'red'", 1, "found 'colour'"), ("uid == 99999999999999999999", 8, "a number"),
      ("uid ^= 1", 5, "needs ==, != or in"), ("pid == 1 and", 13, "the end"),
    ] as [(String, Int, String)])
  func `an error names the column and what is needed`(text: String, column: Int, part: String) {
    let error = #expect(throws: FilterError.self) { try EventFilter(parsing: text) }
    #expect(error?.column == column)
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
  }

  @Test func `an error in a later line names the line`() {
    let error = #expect(throws: FilterError.self) {
      try EventFilter(parsing: "uid == 1\n  and colour == 2")
    }
    #expect(error?.line == 2)
    #expect(error?.column == 7)
  }

  @Test func `nesting is bounded, and reaches its bound`() throws {
    let deep = {
      String(repeating: "(", count: $0) + "uid == 501" + String(repeating: ")", count: $0)
    }
    var builder = RecordBuilder()
    makeOpen("/x", &builder)
    #expect(try EventFilter(parsing: deep(30)).matches(builder.view))
    #expect(throws: FilterError.self) { try EventFilter(parsing: deep(40)) }
    #expect(throws: FilterError.self) { try EventFilter(parsing: deep(100_000)) }
  }

  /// Right-nested alternatives keep a bit each on the stack: the deepest program that parses must be right.
  @Test func `the deepest right-nested filter is evaluated rightly`() throws {
    var text = "pid == 100"
    for _ in 0..<30 { text = "uid == 1 or (\(text))" }
    var builder = RecordBuilder()
    makeOpen("/x", &builder)
    #expect(try EventFilter(parsing: text).matches(builder.view))
    makeOpen("/x", pid: 5, &builder)
    #expect(!(try EventFilter(parsing: text).matches(builder.view)))
  }
}
