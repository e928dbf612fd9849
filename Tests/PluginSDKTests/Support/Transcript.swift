// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonFakeHost

extension Samples {
  /// The slides' kext that does not start, event by event.
  static func mandiantMonitor() -> [OwnedRecord] {
    let name = "com.mandiant.monitor"
    let path = "/Applications/Monitor.app/Contents/PlugIns/monitor.kext"
    return [
      hook(
        "OSKext::start", for: name,
        "(02) ffd3 CALL RBX\n(02) 89c3 MOV EBX, EAX\n(02) 85db TEST EBX, EBX"),
      kext(
        KEMON_KIND_KEXT_START_PRE, name, version: "0.9.2", path: path, base: 0xffff_ff7f_8e0c_d000,
        size: 0x16000, verdict: .deny),
      kext(
        KEMON_KIND_KEXT_START, name, version: "0.9.2", path: nil, base: 0xffff_ff7f_8e0c_d000,
        size: 0x16000, status: 5),
      log("Kext \(name) start failed (result 0x5)."),
      log("Kext \(name) failed to load (0xdc008017)."),
      log("Failed to load kext \(name) (error 0xdc008017)."),
      log(
        "Failed to load \(path) - (libkern/kext) kext (kmod) start/stop routine failed."),
    ]
  }

  /// At least one record of each kind, in the order of the golden files.
  static func everyKind() -> [OwnedRecord] {
    files() + network() + kernel() + preSides() + processes()
  }

  private static func files() -> [OwnedRecord] {
    [
      file(KEMON_KIND_FILE_OPEN), file(KEMON_KIND_FILE_CREATE), close(modified: 1),
      close(modified: 0), pair(KEMON_KIND_FILE_RENAME), pair(KEMON_KIND_FILE_EXCHANGE),
      pair(KEMON_KIND_FILE_LINK), exec(KEMON_KIND_PROCESS_EXEC), file(KEMON_KIND_FILE_DELETE),
      pair(KEMON_KIND_FILE_WILL_RENAME), file(KEMON_KIND_FILE_WRITE),
      file(KEMON_KIND_DEVICE_OPEN, "/dev/null"),
    ]
  }

  private static func network() -> [OwnedRecord] {
    [
      detach(
        ether: true, duration: 1_034_267_000, packets: (3, 2), bytes: (1500, 220), dump: query),
      detach(
        by: Actor(pid: 2612, nil, ppid: 0, parent: "kernel_task"), duration: -2_854_769_000,
        packets: (0, 1), bytes: (0, 60)),
      detach(),
      detach(KEMON_KIND_NET_UDP_DETACH, duration: 12_000_001_000),
      dns(),
    ]
  }

  private static func kernel() -> [OwnedRecord] {
    let conf: UInt64 = 0xffff_ff7f_a34f_b198
    let ops: UInt64 = 0xffff_ff7f_a34f_b1e8
    return [
      dylib(),
      hook("OSKext::start", for: "com.other.kext", "(02) ffd1 CALL RCX"),
      kext(KEMON_KIND_KEXT_START_PRE), kext(KEMON_KIND_KEXT_START),
      policy(
        KEMON_KIND_MAC_POLICY_REGISTER_PRE, "procmon_m", "procmon_m", conf: conf, ops: ops,
        flags: 2, verdict: .deny),
      policy(
        KEMON_KIND_MAC_POLICY_REGISTER_PRE, "AMFI", "Apple Mobile File Integrity", conf: 0x10,
        ops: 0, flags: 0),
      policy(
        KEMON_KIND_MAC_POLICY_REGISTER, "procmon_m", "procmon_m", conf: conf, ops: ops, flags: 2,
        status: 17),
      policy(
        KEMON_KIND_MAC_POLICY_LIST, "Sandbox", "Seatbelt sandbox policy", conf: conf, ops: ops,
        flags: 0, index: 1,
        functions: [
          ("mpo_cred_label_destroy", 0xffff_ff7f_8a0d_2740, "com.apple.security.sandbox+0x4740"),
          ("mpo_file_check_mmap", 0x1000, ""),
        ]),
      policy(
        KEMON_KIND_MAC_POLICY_UNREGISTER_PRE, "procmon_m", "procmon_m", conf: conf, ops: ops,
        flags: 2),
      policy(
        KEMON_KIND_MAC_POLICY_UNREGISTER, "procmon_m", "procmon_m", conf: conf, ops: ops, flags: 0,
        status: 16),
      operation(KEMON_KIND_MAC_OP_PRE), operation(KEMON_KIND_MAC_OP, result: 1),
      hook("mac_policy_register", for: nil, "(01) 55 PUSH RBP\n(03) 4889e5 MOV RBP, RSP"),
      log("Kext com.example.a loaded."),
    ]
  }

  private static func processes() -> [OwnedRecord] {
    [
      process(KEMON_KIND_PROCESS_FORK_PRE, 0, nil), process(KEMON_KIND_PROCESS_FORK, 2700, "bash"),
      process(KEMON_KIND_PROCESS_TRACE_PRE, 640, "Finder"),
      process(KEMON_KIND_PROCESS_TRACE, 640, "Finder", result: 1),
      exec(KEMON_KIND_PROCESS_EXEC_COMMIT), lateExec(), exit(status: 3),
      exit(signal: 9, reason: (9, 8)), invalidPage(),
    ]
  }

  private static func preSides() -> [OwnedRecord] {
    [
      file(KEMON_KIND_FILE_OPEN_PRE, verdict: .deny),
      file(KEMON_KIND_FILE_CREATE_PRE, verdict: .allow), pair(KEMON_KIND_FILE_RENAME_PRE),
      pair(KEMON_KIND_FILE_EXCHANGE_PRE), pair(KEMON_KIND_FILE_LINK_PRE),
      exec(KEMON_KIND_PROCESS_EXEC_PRE), file(KEMON_KIND_FILE_DELETE_PRE, verdict: .modify),
      file(KEMON_KIND_FILE_WRITE_PRE), file(KEMON_KIND_DEVICE_OPEN_PRE, "/dev/null"),
      connect(KEMON_KIND_NET_CONNECT_PRE, port: 0, verdict: .deny),
      connect(KEMON_KIND_NET_CONNECT), connect(KEMON_KIND_NET_CONNECT, result: 111),
      packet(), packet(data: Array(query.prefix(12)), isSent: false),
      file(KEMON_KIND_FILE_LOOKUP_PRE, "/Users"), file(KEMON_KIND_FILE_LOOKUP, "/Users", result: 2),
      file(KEMON_KIND_FILE_OPEN, "/etc/master.passwd", result: 13),
      kext(KEMON_KIND_KEXT_STOP_PRE, verdict: .deny), kext(KEMON_KIND_KEXT_STOP, status: 5),
    ]
  }
}
