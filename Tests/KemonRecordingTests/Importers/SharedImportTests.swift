// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonRecording

/// Traces of real systems.
@Suite(.enabled(if: SharedRecordings.isThere, "needs ../shared/recordings"))
struct SharedImportTests {
  static let sources: [(format: String, folder: String, ending: String)] = [
    ("sysdig-json", "linux_scap_json", ".jsonl.gz"),
    ("tracee", "tracee", ".jsonl.gz"),
    ("pcap", "dns", ".pcap"),
    ("pcap", "pcap", ".pcap"),
    ("santa", "macos", ".log"),
  ]

  func shared(_ format: String, _ file: String) throws -> Imported {
    try importing(format, ImportInput(path: SharedRecordings.path(file)))
  }

  /// Events by name and phase.
  func kinds(_ imported: Imported) -> [String: Int] {
    Dictionary(
      imported.report.events.map { kind, count in
        (kind.info.map { "\($0.name) \($0.phase.name)" } ?? "?", count)
      }, uniquingKeysWith: +)
  }

  @Test(
    arguments: sources.flatMap { source in
      SharedRecordings.files(in: source.folder, source.ending).map { (source.format, $0) }
    })
  func `every record of a trace is used or skipped for a reason`(
    format: String, file: String
  ) throws {
    let imported = try shared(format, file)
    #expect(imported.isBalanced && imported.report.isComplete)
    #expect(imported.report.inputs > 0)
  }

  // The numbers of operations were counted by another program from the same lines.
  @Test(
    arguments: [
      ("falco_cat_write", 85, ["process.exec": 1, "file.open": 3, "file.device_open": 1], 4, 1),
      ("falco_open-multiple-files", 86, ["file.open": 13], 13, 0),
      (
        "libs_curl_google", 1221,
        ["process.exec": 1, "file.open": 47, "file.device_open": 1, "net.connect": 2], 47, 37
      ),
      ("libs_single_ipv6_conn", 28, ["net.connect": 1], 0, 0),
      (
        "sfc_files_files", 204,
        [
          "process.exec": 1, "file.open": 10, "file.create": 4, "file.delete": 8, "file.link": 1,
          "file.rename": 1,
        ], 6, 1
      ),
      (
        "sfc_mpm-worker_full_capture", 34501,
        [
          "process.exec": 3, "file.open": 140, "file.create": 5, "file.write": 2, "file.delete": 3,
          "file.device_open": 4223,
        ], 4365, 63
      ),
      (
        "sfc_namespaces_setns", 7899,
        ["process.exec": 12, "file.open": 225, "file.device_open": 17, "net.connect": 3], 232, 64
      ),
      ("sfc_rename_rename", 360, ["process.exec": 1, "file.open": 25, "file.rename": 1], 25, 7),
    ] as [(String, Int, [String: Int], Int, Int)])
  func `system calls become as many events as there were operations`(
    file: String, lines: Int, operations: [String: Int], closes: Int, libraries: Int
  ) throws {
    let imported = try shared("sysdig-json", "linux_scap_json/\(file).jsonl.gz")
    var expected: [String: Int] = [:]
    for (name, count) in operations {
      expected["\(name) pre"] = count
      expected["\(name) post"] = count
    }
    if closes > 0 { expected["file.close post"] = closes }
    if libraries > 0 { expected["dylib.map pre"] = libraries }
    #expect(imported.report.inputs == lines)
    #expect(kinds(imported) == expected)
  }

  @Test func `the log of Santa gives what it says`() throws {
    let imported = try shared("santa", "macos/santa.log")
    #expect(
      kinds(imported) == [
        "process.exec pre": 44, "process.exec post": 44, "file.write post": 83,
        "file.rename post": 23, "file.delete post": 19,
      ])
    #expect(
      imported.report.skipped == [
        "no event kind for DISKAPPEAR": 17, "no event kind for DISKDISAPPEAR": 5, "not an event": 3,
      ])
  }

  @Test func `queries that Tracee saw are events, responses are not`() throws {
    let imported = try shared("tracee", "tracee/tracee_net_packet_dns_first6000.jsonl.gz")
    #expect(kinds(imported) == ["net.dns_query pre": 3018])
    #expect(imported.report.skipped == ["DNS response": 2982])
    #expect(
      imported.events.first
        == "net.dns_query pre pid=1755894 source=172.31.75.171 destination=1.1.1.1 "
        + "source_port=55069 destination_port=53 query_type=1 query_class=1 name=alvarsoft.com")
  }

  @Test(arguments: [
    ("zeek_get", 1, "in_bytes=5007 out_bytes=136 in_packets=7 out_packets=7"),
    ("zeek_pipelined-requests", 1, "in_bytes=39644 out_bytes=2718 in_packets=33 out_packets=16"),
    ("zeek_ssl.v3", 3, "in_bytes=121583 out_bytes=6012"),
    ("zeek_bro.org", 13, "in_bytes=83457 out_bytes=1932 in_packets=88 out_packets=45"),
    ("zeek_methods", 49, "in_bytes=1112 out_bytes=41 in_packets=4 out_packets=6"),
  ])
  func `connections have the bytes and packets that were on the wire`(
    file: String, connections: Int, counts: String
  ) throws {
    let imported = try shared("pcap", "pcap/\(file).pcap")
    #expect(
      kinds(imported) == [
        "net.connect pre": connections, "net.connect post": connections,
        "net.tcp_detach post": connections,
      ])
    #expect(imported.events.contains { $0.contains(counts) })
  }

  @Test func `link addresses belong to the side that they stand at`() throws {
    let imported = try shared("pcap", "pcap/zeek_get.pcap")
    let detach = try #require(imported.events.last)
    #expect(detach.contains("source=141.142.228.5 "))
    #expect(detach.contains("source_ether=c8:bc:c8:96:d2:a0 "))
  }

  @Test func `a large capture is imported in seconds and not in minutes`() throws {
    let clock = ContinuousClock()
    let start = clock.now
    _ = try shared("sysdig-json", "linux_scap_json/sfc_mpm-worker_full_capture.jsonl.gz")
    #expect(clock.now - start < .seconds(30))
  }
}
