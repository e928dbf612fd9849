// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonPluginHost

@Suite struct MuteExtensionTests {
  private func host(_ flags: [String] = []) throws -> TestHost {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("muting", flags), to: "muting.so")
    #expect(test.load().problems.isEmpty)
    #expect(test.collector.lines == ["unknown \(KEMON_E_NOTFOUND)"])
    #expect(test.host.start().isEmpty)
    return test
  }

  private func open(_ path: String, pid: Int32, start: UInt64 = 1, on test: TestHost) -> Bool {
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
    builder.header.pointee.subject.pid = pid
    builder.header.pointee.subject.start_ns = start
    builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text(path)))
    return test.dispatcher.dispatch(&builder).isDenied
  }

  @Test func `a handler mutes a process and a path, and not what is remembered for others`() throws
  {
    let test = try host()
    #expect(open("/x", pid: 1, on: test))
    #expect(open("/x", pid: 2, on: test))
    #expect(open("/mute-me", pid: 1, on: test))
    #expect(!open("/x", pid: 1, on: test), "muted, whatever was remembered")
    #expect(open("/x", pid: 2, on: test))
    #expect(open("/x", pid: 1, start: 2, on: test), "another process with its number")
    #expect(open("/below/a", pid: 2, on: test))
    #expect(!open("/below/b", pid: 2, on: test))
    #expect(open("/belo", pid: 2, on: test))
    #expect(open("/clear", pid: 2, on: test))
    #expect(open("/x", pid: 1, on: test))
    #expect(open("/below/b", pid: 2, on: test))
    #expect(open("/invalidate", pid: 2, on: test))
    let statistics = try #require(test.dispatcher.handlerStatistics().first)
    #expect(statistics.filtered == 2)
    test.host.stop()
    #expect(test.collector.lines.dropFirst().allSatisfy { $0.hasSuffix(" 0") })
  }

  @Test func `what an observer has muted is in its account`() throws {
    let test = try host(["-DOBSERVE"])
    _ = open("/mute-me", pid: 1, on: test)
    for _ in 0..<5000 where test.collector.lines.count < 2 { usleep(1000) }
    for _ in 0..<10 { _ = open("/x", pid: 1, on: test) }
    _ = open("/y", pid: 2, on: test)
    test.host.stop()
    let account = try #require(test.host.observerAccounts.first)
    #expect(account.produced == 12)
    #expect(account.delivered == 2)
    #expect(account.muted == 10)
    #expect(account.isBalanced)
  }
}
