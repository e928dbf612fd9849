// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonEvents
import KemonFakeHost
import KemonTestSupport
import Testing

@Suite struct EventLogJSONTests {
  private func lines(_ records: [OwnedRecord]) throws -> [String] {
    let host = FakeHost(config: ["format": "jsonl"])
    host.pluginNames = [7: "kext-guard"]
    host.handlerNames = [3: "kext.start"]
    let plugin = try PluginLibrary(product: "event-log").run(in: host)
    for record in records { host.observe(record) }
    plugin.stop()
    return host.takeOutput().split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      .map(String.init)
  }

  private func object(_ record: OwnedRecord) throws -> [String: Any] {
    let line = try #require(try lines([record]).first)
    let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
    return try #require(value as? [String: Any])
  }

  @Test func `a denied kext is one line with its votes`() throws {
    let record = Samples.kext(KEMON_KIND_KEXT_START_PRE, verdict: .deny)
    record.header.pointee.seq = 12
    record.header.pointee.time_ns = 1_531_000_000_000_000_001
    record.header.pointee.corr = 5
    record.header.pointee.decided_by = 7
    var vote = kemon_vote()
    vote.plugin_id = 7
    vote.handler_id = 3
    vote.action = UInt16(KEMON_DENY)
    vote.tier = UInt16(KEMON_TIER_ENFORCE)
    vote.err = 1
    vote.latency_ns = 250
    var unknown = vote
    unknown.plugin_id = 8
    unknown.action = UInt16(KEMON_ABSTAIN)
    unknown.err = 0
    record.append([vote, unknown], reasons: ["below \"1.0\"", nil])
    let expected = [
      #"{"seq":12,"time_ns":1531000000000000001,"corr":5,"kind":"kext.start","phase":"pre","#,
      #""pid":59,"tid":60,"ppid":1,"uid":0,"gid":0,"process_start_ns":0,"comm":"kextd","#,
      #""parent":"launchd","exe":null,"base":"0xffffff7f80001000","module_size":4096,"#,
      #""status":0,"name":"com.example.a","version":"1.0","path":"/a.kext","#,
      #""verdict":"deny","decided_by":"kext-guard","votes":["#,
      #"{"plugin":"kext-guard","handler":"kext.start","tier":"enforce","action":"deny","#,
      #""errno":"EPERM","reason_code":0,"latency_ns":250,"reason":"below \"1.0\""},"#,
      ##"{"plugin":"#8","handler":"kext.start","tier":"enforce","action":"abstain","##,
      #""errno":null,"reason_code":0,"latency_ns":250,"reason":null}]}"#,
    ]
    #expect(try lines([record]) == [expected.joined()])
  }

  @Test func `every kind is a valid object with all fields of its schema`() throws {
    let header: Set = [
      "seq", "time_ns", "corr", "kind", "phase", "pid", "tid", "ppid", "uid", "gid",
      "process_start_ns", "comm", "parent", "exe", "result", "errno", "verdict", "decided_by",
      "votes", "truncated", "replayed", "gap_before",
    ]
    for record in Samples.everyKind() {
      let info = try #require(record.view.kind.info)
      let object = try object(record)
      #expect(object["kind"] as? String == info.name)
      #expect(object["phase"] as? String == info.phase.name)
      #expect((object["errno"] != nil) == (info.phase == .post))
      for field in info.fields where field.name != "reserved" {
        #expect(!header.contains(field.name), "\(info.name).\(field.name) hides the header's")
        let value = object[field.name]
        switch field.type {
        case .u16, .u32, .u64, .i32, .i64:
          #expect((value as? NSNumber)?.int64Value == record.view.integer(field))
        case .addr:
          let number = UInt64(bitPattern: try #require(record.view.integer(field)))
          #expect(value as? String == "0x" + String(number, radix: 16))
        case .str:
          let text = record.view.string(field)
          #expect(value as? String == (text.off == 0 ? nil : record.view.text(text)))
          #expect((value is NSNull) == (text.off == 0))
        case .list:
          #expect(value as? [String] == record.view.list(record.view.string(field)))
        case .bytes:
          let bytes = record.view.string(field)
          let hex = record.view.bytes(bytes).map { String(format: "%02x", $0) }.joined()
          #expect(value as? String == (bytes.off == 0 ? nil : hex))
        }
      }
    }
  }

  @Test func `an unknown user is null and flags appear only when set`() throws {
    let plain = try object(Samples.file(KEMON_KIND_FILE_OPEN))
    #expect(plain["truncated"] == nil && plain["replayed"] == nil && plain["gap_before"] == nil)
    let record = Samples.file(KEMON_KIND_FILE_OPEN, by: Actor(pid: 1, nil, uid: .max))
    record.header.pointee.flags = 7
    let flagged = try object(record)
    #expect(flagged["truncated"] as? Bool == true)
    #expect(flagged["replayed"] as? Bool == true)
    #expect(flagged["gap_before"] as? Bool == true)
    #expect(flagged["uid"] is NSNull && flagged["comm"] is NSNull)
  }

  @Test func `fields that the producer did not fill in are null`() throws {
    let record = Samples.file(KEMON_KIND_FILE_OPEN)
    record.header.pointee.payload_size = 24
    let object = try object(record)
    #expect(object["mode"] as? Int == 0)
    #expect(object["path"] is NSNull)
  }

  @Test func `any bytes become the text that Swift makes of them`() throws {
    var random = SeededRandom(seed: 7)
    let interesting: [UInt8] = [
      0x00, 0x0A, 0x22, 0x5C, 0x7F, 0x80, 0xBF, 0xC0, 0xC2, 0xE0, 0xE1, 0xED, 0xA0, 0x9F, 0xF0,
      0xF4, 0x8F, 0x90, 0xF5, 0xFF, 0x41,
    ]
    for round in 0..<3000 {
      let bytes = (0..<(round % 9)).map { _ in
        random.next() % 4 == 0
          ? UInt8(truncatingIfNeeded: random.next())
          : interesting[Int(random.next() % UInt64(interesting.count))]
      }
      let record = OwnedRecord(KEMON_KIND_FILE_OPEN) { builder in
        let path = builder.data(bytes)
        builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: path))
      }
      #expect(try object(record)["path"] as? String == String(decoding: bytes, as: UTF8.self))
    }
  }

  @Test func `a list that was cut in the middle keeps its last text`() throws {
    let record = OwnedRecord(KEMON_KIND_PROCESS_EXEC) { builder in
      let argv = builder.data(Array("ls\0-l\0/tm".utf8))
      var exec = kemon_exec()
      exec.argv = argv
      builder.setPayload(exec)
    }
    #expect(try object(record)["argv"] as? [String] == ["ls", "-l", "/tm"])
  }
}
