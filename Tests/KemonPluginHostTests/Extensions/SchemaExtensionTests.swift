// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

@Suite struct SchemaExtensionTests {
  private func add(_ name: String, to test: TestHost) throws {
    try test.folder.copy(Fixtures.build("emitter", ["-DEMITTER=\"\(name)\""]), to: "\(name).so")
  }

  /// Waits until so many events were published, and no more come.
  private func settle(_ test: TestHost, at count: UInt64) {
    for _ in 0..<5000 where test.ring.published < count { usleep(1000) }
    test.host.stop()
  }

  @Test func `what a plugin declares and asks is checked`() throws {
    let test = try TestHost()
    try add("asker", to: test)
    #expect(test.load().problems.isEmpty)
    #expect(
      test.collector.lines == [
        "again 0 same 1",
        "foreign -1 declare: name \"file.x\": needed is a name that begins with asker.",
        "broken -1 line 2", "undeclared -8", "too many -1", "flags 0 at 16 modifiable 1",
        "absent -4", "json there",
      ])
    #expect(test.host.plugins.first?.misbehaviour == 4)
  }

  @Test func `others observe what a plugin emits about an event, with its fields by name`() throws {
    let test = try TestHost()
    try add("source", to: test)
    try add("watcher", to: test)
    let configuration = try JSONValue(parsing: #"{"watcher": {"watch": "source.*"}}"#)
    #expect(test.load(configuration).problems.isEmpty)
    #expect(test.host.start().isEmpty)
    test.open("/etc/shadow", by: "/bin/thief")
    settle(test, at: 3)
    let flags = KEMON_EV_SYNTHETIC | 1 << KEMON_EV_DEPTH_SHIFT
    #expect(
      test.collector.lines.contains(
        "watcher saw source.alert path /etc/shadow score 42 shift -7 from /bin/thief corr 0 flags "
          + String(flags, radix: 16)))
    #expect(test.collector.lines.contains("source emitted 1 refused 0"))
    #expect(test.ring.published == 3, "the open, the alert, and the watcher's own")
    let accounts = test.host.observerAccounts
    #expect(accounts.map(\.name) == ["watcher"])
    #expect(accounts.allSatisfy { $0.isBalanced })
    #expect(accounts.first?.delivered == 1, "not the open, and not its own")
  }

  @Test func `events that lead to each other end`() throws {
    let test = try TestHost()
    for name in ["start", "ping", "pong"] { try add(name, to: test) }
    let text = #"{"ping": {"watch": "*"}, "pong": {"watch": "*"}}"#
    #expect(test.load(try JSONValue(parsing: text)).problems.isEmpty)
    #expect(test.host.start().isEmpty)
    test.open("/x")
    // The first has depth 1; at each further depth both have seen the other's.
    let total = UInt64(1 + 1 + 2 * (Emissions.depthLimit - 1))
    settle(test, at: total)
    #expect(test.ring.published == total)
    let lines = test.collector.lines
    #expect(lines.contains("ping emitted 7 refused 1"))
    #expect(lines.contains("pong emitted 7 refused 1"))
    #expect(lines.filter { $0.hasSuffix("emit \(KEMON_E_FULL)") }.count == 2)
  }

  @Test func `a handler that votes cannot be for a kind that is only observed`() throws {
    let kind = try EventKind.declare(KindDeclaration(name: "some.kind", fields: []))
    var handler = kemon_handler()
    handler.size = UInt32(MemoryLayout<kemon_handler>.size)
    handler.fn = { _, _, _ in 0 }
    let refusal = "some.kind".withCString { name in
      handler.name = name
      handler.kind = name
      return #expect(throws: PluginRefusal.self) {
        try HandlerRequest(&handler, token: 1, taken: [])
      }
    }
    #expect(
      refusal?.text
        == "handler \"some.kind\": kind \"some.kind\" is emitted by a plugin, needed is "
        + "KEMON_H_OBSERVE")
    #expect(kind.info?.canDeny == false)
  }

  @Test func `an event is refused rather than waited for`() throws {
    let ring = EventRing(slots: 4)
    let dispatcher = Dispatcher(ring: ring)
    let reader = try ring.subscribe(named: "slow", overflow: .block)
    let kind = try EventKind.declare(KindDeclaration(name: "some.kind", fields: []))
    var emitted = 0
    for _ in 0..<10 {
      var builder = RecordBuilder(capacity: 1024)
      builder.begin(kind)
      if dispatcher.emissions.emit(&builder, depth: 1, mayWait: false) { emitted += 1 }
    }
    #expect(emitted == 4)
    #expect(ring.refused == 6)
    reader.cancel()
    #expect(reader.account.isBalanced)
  }
}
