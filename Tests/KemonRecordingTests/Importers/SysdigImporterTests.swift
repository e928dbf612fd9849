// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@testable import KemonRecording

@Suite struct SysdigImporterTests {
  /// A line as `sysdig -j` writes it.
  func line(
    _ direction: String, _ type: String, _ arguments: String, time: Int = 1, result: Int? = nil,
    fd: String? = nil, name: String? = nil, kind: String? = nil, tid: Int = 7, path: String = ""
  ) -> String {
    func text(_ value: String?) -> String { value.map { "\"\($0)\"" } ?? "null" }
    return """
      {"evt.args":"\(arguments)","evt.dir":"\(direction)","evt.num":1,"evt.rawres":\
      \(result.map(String.init) ?? "null"),"evt.rawtime":\(time),"evt.type":"\(type)",\
      "fd.name":\(text(name)),"fd.num":\(fd ?? "null"),"fd.typechar":\(text(kind)),\
      "proc.exepath":"\(path)","proc.name":"cat","proc.pid":7,"proc.ppid":1,"thread.tid":\(tid),\
      "user.uid":1000}

      """
  }

  func events(_ lines: String...) throws -> [String] {
    let imported = try importing("sysdig-json", lines.joined())
    #expect(imported.isBalanced && imported.report.isComplete)
    return imported.events
  }

  func open(_ path: String, flags: String, result: Int = 3) -> String {
    line(">", "open", "")
      + line(
        "<", "open", "fd=\(result)(<f>\(path)) name=\(path) flags=1(\(flags)) mode=0644 ", time: 2,
        result: result, fd: "\(result)", name: path, kind: "f")
  }

  @Test(arguments: [
    ("/tmp/a", "O_RDONLY|O_CLOEXEC", "file.open", 0x80000),
    ("/tmp/a", "O_TRUNC|O_CREAT|O_WRONLY", "file.create", 0x241),
    ("/tmp/a", "O_RDWR", "file.write", 2),
    ("/tmp/a", "O_APPEND|O_WRONLY", "file.write", 0x401),
    ("/dev/null", "O_CREAT|O_WRONLY", "file.device_open", 0x41),
    ("/dev/shm/a", "O_CREAT|O_WRONLY", "file.create", 0x41),
  ])
  func `an open becomes what it is for, before and after`(
    path: String, flags: String, kind: String, number: Int
  ) throws {
    let rest = (number == 0 ? "" : "flags=\(number) ") + "mode=420 path=\(path)"
    #expect(
      try events(open(path, flags: flags)) == [
        "\(kind) pre pid=7 \(rest)", "\(kind) post pid=7 \(rest)",
      ])
  }

  @Test func `the two sides share an operation and have their own times`() throws {
    var seen: [(UInt64, UInt64)] = []
    let input = line(">", "open", "", time: 5, tid: 8) + open("/tmp/a", flags: "O_RDONLY")
    _ = try #require(TraceFormat.named("sysdig-json")).run(
      ImportInput(MemorySource(Array(input.utf8)))
    ) { seen.append(($0.event.pointee.corr, $0.event.pointee.time_ns)) }
    #expect(seen.map(\.0) == [1, 1] && seen.map(\.1) == [1, 2])
  }

  @Test func `a failure has its errno`() throws {
    let failed = line(
      "<", "openat",
      "fd=-2(ENOENT) dirfd=-100(AT_FDCWD) name=lib/x.so(/usr/lib/x.so) flags=1(O_RDONLY) mode=0 ",
      result: -2, name: nil, kind: "f")
    #expect(
      try events(failed) == [
        "file.open pre pid=7 path=/usr/lib/x.so",
        "file.open post pid=7 result=ENOENT path=/usr/lib/x.so",
      ])
  }

  @Test func `names that look like fields are read to their end`() throws {
    let path = "/tmp/a flags=9(O_CREAT) b (1)"
    let failed = line(
      "<", "open", "fd=-13(EACCES) name=\(path) flags=1(O_RDONLY) mode=0 ", result: -13, kind: "f")
    #expect(try events(failed).first == "file.open pre pid=7 path=\(path)")
    #expect(
      try events(line("<", "unlink", "res=0 path=\(path) ", result: 0)).first
        == "file.delete pre pid=7 path=\(path)")
  }

  @Test func `deletions, links and new names are read`() throws {
    #expect(
      try events(
        line("<", "unlink", "res=0 path=./a(/tmp/a) ", result: 0),
        line(
          "<", "unlinkat", "res=-2(ENOENT) dirfd=-100(AT_FDCWD) name=/tmp/b flags=0 ", result: -2),
        line("<", "rmdir", "res=0 path=/tmp/c ", result: 0),
        line("<", "rename", "res=0 oldpath=/tmp/d newpath=/tmp/e ", result: 0),
        line(
          "<", "renameat2",
          "res=0 olddirfd=-100(AT_FDCWD) oldpath=/f newdirfd=-100(AT_FDCWD) newpath=/g flags=0 ",
          result: 0),
        line("<", "link", "res=0 oldpath=/tmp/h newpath=./i(/tmp/i) ", result: 0)
      ) == [
        "file.delete pre pid=7 path=/tmp/a", "file.delete post pid=7 path=/tmp/a",
        "file.delete pre pid=7 path=/tmp/b", "file.delete post pid=7 result=ENOENT path=/tmp/b",
        "file.delete pre pid=7 path=/tmp/c", "file.delete post pid=7 path=/tmp/c",
        "file.rename pre pid=7 path=/tmp/d to=/tmp/e",
        "file.rename post pid=7 path=/tmp/d to=/tmp/e",
        "file.rename pre pid=7 path=/f to=/g", "file.rename post pid=7 path=/f to=/g",
        "file.link pre pid=7 path=/tmp/h to=/tmp/i", "file.link post pid=7 path=/tmp/h to=/tmp/i",
      ])
  }

  @Test func `an execution has its image, directory and arguments`() throws {
    let exit = line(
      "<", "execve",
      "res=0 exe=cat args=-n./etc/hosts. tid=7(cat) pid=7(cat) ptid=1(init) cwd=/home/a b fdlimit=1024 ",
      result: 0, path: "/bin/cat")
    let rest = #"argc=3 path=/bin/cat cwd=/home/a b argv=["cat", "-n", "/etc/hosts"]"#
    #expect(
      try events(line(">", "execve", "filename=/bin/cat ", path: "/bin/bash"), exit) == [
        "process.exec pre pid=7 \(rest)", "process.exec post pid=7 \(rest)",
      ])
    #expect(try events(exit).first == "process.exec pre pid=7 \(rest)")
  }

  @Test func `a library is what is mapped to be executed`() throws {
    let flags = "flags=1026(MAP_PRIVATE|MAP_DENYWRITE)"
    let file = "fd=3(<f>/lib/libm so.6)"
    let exit = line("<", "mmap", "res=7F00 vm_size=1 ", result: 0x7F00)
    #expect(
      try events(
        line(">", "mmap", "addr=0 length=9 prot=5(PROT_READ|PROT_EXEC) \(flags) \(file) offset=0 "),
        exit) == ["dylib.map pre pid=7 protection=5 flags=2050 path=/lib/libm so.6"])
    let imported = try importing(
      "sysdig-json",
      line(">", "mmap", "addr=0 length=9 prot=1(PROT_READ) \(flags) \(file) offset=0 ") + exit
        + line(
          ">", "mmap",
          "addr=0 length=9 prot=4(PROT_EXEC) flags=10(MAP_ANONYMOUS) fd=-1(EPERM) offset=0 ")
        + exit + exit)
    #expect(
      imported.report.skipped == [
        "mmap without PROT_EXEC": 2, "mmap of what is no file": 2, "mmap without its beginning": 1,
      ])
  }

  @Test func `names cannot hide what is done with them`() throws {
    let flags = "flags=2(MAP_PRIVATE)"
    #expect(
      try events(
        line(
          ">", "mmap",
          "addr=0 length=9 prot=5(PROT_READ|PROT_EXEC) \(flags) fd=3(<f>/tmp/x prot=1(PROT_READ) offset=0) offset=0 "
        ), line("<", "mmap", "res=7F00 ", result: 0x7F00)) == [
          "dylib.map pre pid=7 protection=5 flags=2 path=/tmp/x prot=1(PROT_READ) offset=0"
        ])
    #expect(
      try events(line("<", "rename", "res=0 oldpath=/a newpath=/b newpath=/c flags=0 ", result: 0))
        .first == "file.rename pre pid=7 path=/a to=/b newpath=/c flags=0")
    let exit = line(
      "<", "execve",
      "res=0 exe=sh args=-c. tid=8(x) rm. tid=7(sh) pid=7(sh) cwd=/home fdlimit=1 env=A= args=. cwd=/x fdlimit=2 ",
      result: 0, path: "/bin/sh")
    #expect(
      try events(exit).first
        == #"process.exec pre pid=7 argc=3 path=/bin/sh cwd=/home argv=["sh", "-c", " tid=8(x) rm"]"#
    )
  }

  @Test func `a mark that combines with the sign before it hides no name`() throws {
    let mark = "\u{301}"
    #expect(
      try events(line("<", "unlink", "res=0 path=\(mark)a ", result: 0)).first
        == "file.delete pre pid=7 path=\(mark)a")
    #expect(
      try events(
        line(
          "<", "mmap",
          "res=7F00 prot=4(PROT_EXEC) flags=2(MAP_PRIVATE) fd=3(<f>\(mark)a.so) offset=0 ",
          result: 0x7F00)) == ["dylib.map pre pid=7 protection=4 flags=2 path=\(mark)a.so"])
  }

  @Test func `a connection has both ends, its family and its transport`() throws {
    #expect(
      try events(
        line(">", "connect", "fd=3(<4t>0.0.0.0:0->10.0.0.2:80) "),
        line(
          "<", "connect", "res=-115(EINPROGRESS) tuple=10.0.0.1:5000->10.0.0.2:80 ", result: -115,
          kind: "4"),
        line("<", "connect", "res=0 tuple=::1:0->2001:db8::3:53 ", result: 0, kind: "6")
      ) == [
        "net.connect pre pid=7 source=10.0.0.1 destination=10.0.0.2 source_port=5000 destination_port=80 address_family=4 protocol=6",
        "net.connect post pid=7 result=EINPROGRESS source=10.0.0.1 destination=10.0.0.2 source_port=5000 destination_port=80 address_family=4 protocol=6",
        "net.connect pre pid=7 source=localhost destination=2001:db8::3 destination_port=53 address_family=6",
        "net.connect post pid=7 source=localhost destination=2001:db8::3 destination_port=53 address_family=6",
      ])
    let local = try importing(
      "sysdig-json", line("<", "connect", "res=0 tuple=0->ffff /var/run/x ", result: 0, kind: "u"))
    #expect(local.report.skipped == ["connect of what is no IP socket": 1])
  }

  @Test func `a close tells whether the file was written`() throws {
    let write = line(
      "<", "write", "res=5 data=hello ", result: 5, fd: "3", name: "/tmp/a", kind: "f")
    let close = line("<", "close", "res=0 ", result: 0, fd: "3", name: "/tmp/a", kind: "f")
    let imported = try importing("sysdig-json", write + close + close)
    #expect(
      imported.events == [
        "file.close post pid=7 modified=1 path=/tmp/a", "file.close post pid=7 path=/tmp/a",
      ])
    #expect(imported.isBalanced)
  }

  @Test func `a beginning without its end is counted`() throws {
    let imported = try importing(
      "sysdig-json",
      line(">", "open", "") + line(">", "close", "fd=3 ") + line(">", "open", "", tid: 9)
        + line(
          "<", "open", "fd=3 name=/a flags=1(O_RDONLY) mode=0 ", result: 3, name: "/a", kind: "f")
        + line("?", "open", ""))
    #expect(
      imported.report.skipped == [
        "open without its end": 2, "close without its end": 1,
        "neither beginning nor end of a call": 1,
      ])
    #expect(imported.isBalanced && imported.events.count == 2)
  }

  @Test func `a line that is cut is named and the rest goes on`() throws {
    let good = open("/tmp/a", flags: "O_RDONLY")
    let imported = try importing("sysdig-json", good + good.prefix(60) + "\n\n[1]\n{}\n" + good)
    #expect(imported.events.count == 4)
    #expect(imported.report.skipped == ["broken line": 3, "line without an object": 1])
    #expect(
      imported.report.problems.map(\.place) == [
        "line 3 at byte \(good.utf8.count)", "line 5 at byte \(good.utf8.count + 62)",
        "line 6 at byte \(good.utf8.count + 66)",
      ])
    #expect(
      imported.report.problems.map { String($0.message.prefix(9)) } == [
        "not JSON", "no JSON o", "no field ",
      ])
    #expect(!imported.report.isComplete && imported.isBalanced)
  }

  @Test func `lines that are made a list are read too`() throws {
    let one = line("<", "unlink", "res=0 path=/a ", result: 0).dropLast()
    let two = line("<", "unlink", "res=0 path=/b ", result: 0).dropLast()
    let expected = ["/a", "/a", "/b", "/b"]
    for text in ["[\n\(one),\n\(two)\n]\n", "[\(one)\n,\(two) ]", "\(one)\n\n\(two)"] {
      let imported = try importing("sysdig-json", text)
      #expect(imported.events.map { String($0.suffix(2)) } == expected)
      #expect(imported.isBalanced && imported.report.isComplete)
    }
  }

  @Test func `what the input calls things is shown short and harmless, and not without end`() throws
  {
    let names = (0..<2000).map { line("<", "call\($0)", "") }.joined()
    let odd = line("<", "\\u001b[31m" + String(repeating: "x", count: 100), "")
    let imported = try importing("sysdig-json", odd + names)
    #expect(
      imported.report.skipped["no event kind for ?[31m" + String(repeating: "x", count: 35)] == 1)
    #expect(imported.report.skipped["another reason"] == 1501)
    #expect(imported.report.skipped.count == 501 && imported.isBalanced)
  }

  @Test func `a beginning with more text than a call can have is not remembered`() throws {
    let long = String(repeating: "a", count: 20_000)
    let imported = try importing("sysdig-json", line(">", "open", "name=\(long) "))
    #expect(imported.report.skipped == ["beginning of a call with too much text": 1])
  }

  @Test func `a mapping that is shown at its end only is read there`() throws {
    let exit = line(
      "<", "mmap",
      "res=7F00 addr=0 length=9 prot=5(PROT_READ|PROT_EXEC) flags=2(MAP_PRIVATE) fd=3(<f>/lib/a.so) offset=0 ",
      result: 0x7F00)
    #expect(try events(exit) == ["dylib.map pre pid=7 protection=5 flags=2 path=/lib/a.so"])
  }

  @Test func `numbers that do not fit are unknown, not a crash`() throws {
    let odd = line("<", "unlink", "res=0 path=/a ", result: .min, tid: .max)
      .replacing("\"proc.pid\":7", with: "\"proc.pid\":-9223372036854775808")
      .replacing("\"user.uid\":1000", with: "\"user.uid\":99999999999")
    #expect(try events(odd).first == "file.delete pre pid=0 path=/a")
  }
}
