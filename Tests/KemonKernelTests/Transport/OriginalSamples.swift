// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Records with known content, of every kind that the original had.
enum OriginalSamples {
  static func make(_ kind: EventKind, _ builder: inout RecordBuilder) {
    builder.begin(kind)
    builder.header.pointee.time_ns = 1_533_146_136_647_081_000
    builder.header.pointee.subject = kemon_subject(
      start_ns: 0, pid: 2612, tid: 2612, ppid: 1, uid: 501, gid: 20, flags: 0, exe: kemon_str(),
      comm: builder.text("Google Chrome"), parent: builder.text("launchd"))
    switch Int(kind.rawValue) {
    case KEMON_KIND_FILE_CLOSE:
      builder.setPayload(
        kemon_file_close(
          dev: 1, ino: 2, modified: 1, reserved: 0, path: builder.text("/Users/kim/notes.txt")))
    case KEMON_KIND_FILE_RENAME, KEMON_KIND_FILE_EXCHANGE, KEMON_KIND_FILE_LINK,
      KEMON_KIND_FILE_WILL_RENAME:
      builder.setPayload(
        kemon_file_pair(dev: 1, ino: 2, path: builder.text("/tmp/a"), to: builder.text("/tmp/b")))
    case KEMON_KIND_PROCESS_EXEC:
      builder.setPayload(
        kemon_exec(
          dev: 1, ino: 2, argc: 3, envc: 0, path: builder.text("/bin/ls"), cwd: kemon_str(),
          argv: builder.list(["ls", "-l", "/tmp/my file"])))
    case KEMON_KIND_NET_DNS_QUERY:
      builder.setPayload(
        kemon_dns_query(
          source: builder.text("localhost"), destination: builder.text("192.168.1.1"),
          source_port: 10863, destination_port: 53, query_type: 1, query_class: 1,
          name: builder.text("safebrowsing.googleapis.com"), packet: builder.data([1, 2])))
    case KEMON_KIND_NET_TCP_DETACH, KEMON_KIND_NET_UDP_DETACH: makeDetach(kind, &builder)
    case KEMON_KIND_DYLIB_MAP:
      builder.setPayload(
        kemon_dylib_map(
          dev: 1, ino: 2, protection: 5, flags: 2, path: builder.text("/usr/lib/libSystem.B.dylib"))
      )
    case KEMON_KIND_KEXT_START_PRE, KEMON_KIND_KEXT_START:
      let isPre = kind == EventKind(KEMON_KIND_KEXT_START_PRE)
      let path = "/Applications/Monitor.app/Contents/PlugIns/monitor.kext"
      builder.setPayload(
        kemon_kext(
          base: 0xffff_ff7f_8e0c_d000, module_size: 0x16000, status: isPre ? 0 : 5, reserved: 0,
          name: builder.text("com.mandiant.monitor"), version: builder.text("0.9.2"),
          path: builder.text(isPre ? path : nil)))
    default:
      builder.setPayload(
        kemon_file(dev: 1, ino: 2, flags: 0, mode: 0, path: builder.text("/Users/kim/notes.txt")))
    }
  }

  /// Of a process that has ended.
  private static func makeDetach(_ kind: EventKind, _ builder: inout RecordBuilder) {
    builder.header.pointee.subject.comm = kemon_str()
    builder.setPayload(
      kemon_net_detach(
        start_ns: 1_531_000_000_000_000_000, stop_ns: 1_531_000_001_034_267_000,
        source: builder.text("10.7.133.236"), destination: builder.text("17.253.83.201"),
        source_ether: builder.text("38:f9:d3:00:11:22"),
        destination_ether: builder.text("60:73:5c:33:44:55"), source_port: 49213,
        destination_port: 443, address_family: 4, protocol: 6, in_bytes: 1500, out_bytes: 220,
        in_packets: 3, out_packets: 2, first_in: builder.data([1, 2, 3, 4]),
        first_out: builder.data([5, 6])))
  }
}
