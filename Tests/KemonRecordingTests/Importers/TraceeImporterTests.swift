// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonRecording

@Suite struct TraceeImporterTests {
  func line(
    event: String = "net_packet_dns", qr: Int = 0,
    questions: String = #"[{"name":"kemon.test","type":"AAAA","class":"IN"}]"#, port: String = "53"
  ) -> String {
    """
    {"timestamp":12345,"threadStartTime":99,"processId":3,"threadId":3,"parentProcessId":2,\
    "hostProcessId":30,"hostThreadId":30,"hostParentProcessId":20,"userId":1000,\
    "processName":"dig","executable":{"path":""},"eventName":"\(event)","args":[\
    {"name":"src","type":"string","value":"10.0.0.1"},\
    {"name":"dst","type":"string","value":"1.1.1.1"},\
    {"name":"src_port","type":"uint16","value":5000},\
    {"name":"dst_port","type":"uint16","value":\(port)},\
    {"name":"extra","type":"any","value":[1,null,{"a":true}]},\
    {"name":"proto_dns","type":"trace.ProtoDNS","value":{"QR":\(qr),"questions":\(questions)}}]}

    """
  }

  @Test func `a query has its process, its ends and its first question`() throws {
    let imported = try importing("tracee", line())
    #expect(
      imported.events == [
        "net.dns_query pre pid=30 source=10.0.0.1 destination=1.1.1.1 source_port=5000 "
          + "destination_port=53 query_type=28 query_class=1 name=kemon.test"
      ])
    #expect(imported.isBalanced && imported.report.isComplete)
  }

  @Test func `other lines are skipped for a reason`() throws {
    let imported = try importing(
      "tracee",
      line(qr: 1) + line(questions: "[]") + line(questions: "null") + line(event: "openat")
        + line(port: "70000") + line(port: "\"53\"") + "{\"timestamp\":1}\n" + line().prefix(200))
    #expect(imported.events.isEmpty)
    #expect(
      imported.report.skipped == [
        "DNS response": 1, "DNS query without a question": 2, "no event kind for openat": 1,
        "net_packet_dns without its packet": 2, "broken line": 2,
      ])
    #expect(imported.report.problems.map(\.message).first == "no field \"eventName\"")
    #expect(imported.isBalanced && !imported.report.isComplete)
  }
}
