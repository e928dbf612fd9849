// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonFakeHost
import KemonTestSupport
import Testing

@Suite struct EventLogTextTests {
  private func lines(_ records: [OwnedRecord], dialect: String) throws -> String {
    let host = FakeHost(config: ["dialect": .string(dialect)])
    let plugin = try PluginLibrary(product: "event-log").run(in: host)
    for record in records { host.observe(record) }
    plugin.stop()
    return host.takeOutput()
  }

  @Test(arguments: ["2018", "2019"])
  func `the denied kext of the slides gives their transcript`(dialect: String) throws {
    let transcript = try lines(Samples.mandiantMonitor(), dialect: dialect)
    #expect(transcript == (try Checkout.golden("dialect-\(dialect)-mandiant-monitor.txt")))
  }

  @Test(arguments: ["2018", "2019"])
  func `every kind has its line`(dialect: String) throws {
    let records = Samples.everyKind()
    #expect(Set(records.map(\.view.kind)) == Set(EventKind.allKinds))
    let golden = try Checkout.golden("dialect-\(dialect)-kinds.txt")
    #expect(
      try lines(records, dialect: dialect).split(separator: "\n") == golden.split(separator: "\n"))
  }

  @Test func `arguments that were cut are said to be too many, as the original did`() throws {
    let text = try lines([Samples.cutExec()], dialect: "2019")
    #expect(text.hasSuffix("path=/bin/echo, command line=Command line overflow!.\n"))
  }

  @Test func `2018 is the default`() throws {
    let host = FakeHost()
    let plugin = try PluginLibrary(product: "event-log").run(in: host)
    host.observe(Samples.dns())
    plugin.stop()
    #expect(host.takeOutput().hasPrefix("[Kemon.kext] : <DNS Query> localhost"))
  }

  @Test func `a kext line of 240 bytes is shortened in 2019 and one of 239 is not`() throws {
    // The line with an empty name, its end counted, and one byte more for each byte of the name.
    func line(_ name: String) throws -> Substring {
      let record = Samples.kext(KEMON_KIND_KEXT_START_PRE, name)
      return try #require(try lines([record], dialect: "2019").split(separator: "\n").first)
    }
    let fixed = try line("").utf8.count + 1
    let fits = try line(String(repeating: "n", count: 239 - fixed))
    #expect(fits.utf8.count + 1 == 239)
    #expect(fits.contains("version=1.0"))
    let short = try line(String(repeating: "n", count: 240 - fixed))
    #expect(short.hasSuffix("=launchd, path=/a.kext, module base=0xffffff7f80001000."))
  }

  @Test func `a long kext line after the start keeps status, base and size in 2019`() throws {
    let record = Samples.kext(KEMON_KIND_KEXT_START, String(repeating: "n", count: 200), status: -3)
    let line = try #require(try lines([record], dialect: "2019").split(separator: "\n").first)
    #expect(
      line.hasSuffix(", status=-3, module base=0xffffff7f80001000, module size=0x1000."))
  }

  @Test func `a long policy line loses its flag names in 2019`() throws {
    let record = Samples.policy(
      KEMON_KIND_MAC_POLICY_REGISTER_PRE, "p", String(repeating: "n", count: 100), conf: 1, ops: 2,
      flags: 15)
    let text2018 = try lines([record], dialect: "2018")
    #expect(
      text2018.contains(
        "flags=15(MPC_LOADTIME_FLAG_NOTLATE | MPC_LOADTIME_FLAG_UNLOADOK | "
          + "MPC_LOADTIME_FLAG_LABELMBUFS | MPC_LOADTIME_BASE_POLICY), policy mpc=0x1"))
    #expect(try lines([record], dialect: "2019").contains("load time flags=15, policy mpc=0x1"))
  }

  @Test func `flags beyond the known ones are called unknown`() throws {
    let record = Samples.policy(
      KEMON_KIND_MAC_POLICY_REGISTER_PRE, "p", "p", conf: 1, ops: 2, flags: 0x12)
    #expect(try lines([record], dialect: "2018").contains("flags=18(UNKNOWN OPTION)"))
  }

  @Test func `a listing whose kext never starts is written at the end`() throws {
    let text = try lines(
      [Samples.hook("f", for: "com.never", "(02) ffd3 CALL RBX")], dialect: "2018")
    #expect(text == "[Kemon.kext] : Disassemble the f(com.never).\n(02) ffd3 CALL RBX\n")
  }

  @Test func `the dialect may be a number`() throws {
    let host = FakeHost(config: ["dialect": 2019])
    let plugin = try PluginLibrary(product: "event-log").run(in: host)
    host.observe(Samples.dns())
    plugin.stop()
    #expect(host.takeOutput().hasPrefix("[Kemon.kext] : action=UDP_DNS_QUERY"))
  }

  @Test func `a gap leaves a line`() throws {
    let record = Samples.dns()
    record.header.pointee.flags = UInt16(KEMON_EV_GAP_BEFORE)
    let text = try lines([record], dialect: "2018")
    #expect(
      text.hasPrefix("[Kemon.kext] : Events before this one were lost.\n[Kemon.kext] : <DNS Query>")
    )
  }

  @Test func `control characters cannot forge a line`() throws {
    let record = Samples.file(KEMON_KIND_FILE_OPEN, "/tmp/a\n[Kemon.kext] : forged\u{7F}\u{1B}")
    let text = try lines([record], dialect: "2018")
    #expect(text.hasSuffix("path=/tmp/a\\x0a[Kemon.kext] : forged\\x7f\\x1b.\n"))
    #expect(text.split(separator: "\n").count == 1)
  }

  @Test func `bytes above ASCII are written as they came`() throws {
    let record = OwnedRecord(KEMON_KIND_FILE_OPEN) { builder in
      let path = builder.data([0x2F, 0xFF, 0xC3, 0xA4])
      builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: path))
    }
    let host = FakeHost()
    let plugin = try PluginLibrary(product: "event-log").run(in: host)
    host.observe(record)
    plugin.stop()
    #expect(host.output.suffix(6) == [0x2F, 0xFF, 0xC3, 0xA4, 0x2E, 0x0A])
  }

  @Test func `a payload that is too short and an unknown kind have a line too`() throws {
    let short = Samples.file(KEMON_KIND_FILE_OPEN)
    short.header.pointee.payload_size = 8
    #expect(
      try lines([short], dialect: "2018")
        == "[Kemon.kext] : action=UNKNOWN(0x0), uid=501, process(pid 2612)=Google Chrome, "
        + "parent(ppid 1)=launchd.\n")
  }

  @Test(arguments: ["bytes", "words", "dwords", "qwords"])
  func `packets are dumped in the four widths of the original`(width: String) throws {
    let host = FakeHost(config: ["dump": .string(width)])
    let plugin = try PluginLibrary(product: "event-log").run(in: host)
    host.observe(Samples.packet(data: Array(Samples.query.prefix(40))))
    plugin.stop()
    #expect(host.takeOutput() == (try Checkout.golden("dump-\(width).txt")))
  }

  @Test func `a packet whose length does not fit the width is dumped by bytes`() throws {
    let host = FakeHost(config: ["dump": "dwords"])
    let plugin = try PluginLibrary(product: "event-log").run(in: host)
    host.observe(Samples.packet())
    plugin.stop()
    #expect(host.takeOutput().contains("| 61 70 69 73 03 63 6f 6d  00 00 01 00 01          | apis"))
  }

  @Test func `IPv6 sockets are told as such in 2019`() throws {
    let record = Samples.detach(family: 6)
    #expect(try lines([record], dialect: "2019").contains("action=TCP_IPV6_DETACH, duration="))
  }

  @Test func `a wrong format or dialect is named`() throws {
    for (config, message) in [
      (["dialect": "2020"], #"dialect: must be "2018" or "2019", not "2020""#),
      (["dialect": 7], #"dialect: must be "2018" or "2019", not "7""#),
      (["dialect": true], "dialect: must be a string"),
      (["format": "xml"], #"format: must be "text" or "jsonl", not "xml""#),
      (["format": 3], "format: must be a string"),
      (
        ["dump": "bits"],
        #"dump: must be one of "bytes", "words", "dwords", "qwords", not "bits""#
      ),
      (["formt": "text"], "configuration: may only have the members format, dialect, dump"),
    ] as [(ConfigValue, String)] {
      let error = try #require(throws: PluginLibrary.Failure.self) {
        try PluginLibrary(product: "event-log").run(in: FakeHost(config: config))
      }
      #expect(error.description == message)
    }
  }
}
