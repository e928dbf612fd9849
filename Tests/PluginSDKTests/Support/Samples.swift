// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonFakeHost

/// Records of every kind, as the golden files show them.
enum Samples {
  static let chrome = Actor(pid: 2612, "Google Chrome")

  /// The DNS message of the slides: a question for safebrowsing.googleapis.com.
  static let query: [UInt8] =
    [0x9F, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 12] + Array("safebrowsing".utf8) + [10]
    + Array("googleapis".utf8) + [3] + Array("com".utf8) + [0, 0, 1, 0, 1]

  static func file(
    _ kind: Int, _ path: String? = "/Users/kim/notes.txt", by actor: Actor = chrome,
    verdict: VerdictAction = .abstain, result: Int32 = 0
  ) -> OwnedRecord {
    OwnedRecord(kind, by: actor) { builder in
      builder.header.pointee.result = result
      let path = builder.text(path)
      builder.setPayload(kemon_file(dev: 1, ino: 2, flags: 0, mode: 0, path: path))
      builder.header.pointee.verdict = verdict.rawValue
    }
  }

  static func close(modified: UInt32) -> OwnedRecord {
    OwnedRecord(KEMON_KIND_FILE_CLOSE, by: chrome) { builder in
      let path = builder.text("/Users/kim/notes.txt")
      builder.setPayload(
        kemon_file_close(dev: 0, ino: 0, modified: modified, reserved: 0, path: path))
    }
  }

  static func pair(_ kind: Int) -> OwnedRecord {
    OwnedRecord(kind, by: chrome) { builder in
      let (path, to) = (builder.text("/tmp/a"), builder.text("/tmp/b"))
      builder.setPayload(kemon_file_pair(dev: 0, ino: 0, path: path, to: to))
    }
  }

  static func exec(
    _ kind: Int, _ path: String = "/bin/ls", _ arguments: [String] = ["ls", "-l", "/tmp/my file"],
    by actor: Actor = chrome
  ) -> OwnedRecord {
    OwnedRecord(kind, by: actor) { builder in
      let path = builder.text(path)
      let argv = builder.list(arguments)
      builder.setPayload(
        kemon_exec(
          dev: 0, ino: 0, argc: UInt32(arguments.count), envc: 0, path: path, cwd: kemon_str(),
          argv: argv))
    }
  }

  /// An exec that failed when it was too late.
  static func lateExec() -> OwnedRecord {
    let record = exec(KEMON_KIND_PROCESS_EXEC)
    record.header.pointee.flags = UInt16(KEMON_EV_LATE)
    record.header.pointee.result = 13
    return record
  }

  /// An exec whose arguments did not fit into the record.
  static func cutExec() -> OwnedRecord {
    OwnedRecord(KEMON_KIND_PROCESS_EXEC, by: chrome) { builder in
      let path = builder.text("/bin/echo")
      let argv = builder.text("echo\0xxxx")
      builder.setPayload(
        kemon_exec(dev: 0, ino: 0, argc: 2, envc: 0, path: path, cwd: kemon_str(), argv: argv))
      builder.header.pointee.flags = UInt16(KEMON_EV_TRUNCATED)
    }
  }

  static func process(
    _ kind: Int, _ pid: Int32, _ comm: String?, result: Int32 = 0
  ) -> OwnedRecord {
    OwnedRecord(kind, by: chrome) { builder in
      let comm = builder.text(comm)
      builder.setPayload(
        kemon_process(
          target_start_ns: 0, target_pid: pid, method: 1, target_comm: comm,
          target_exe: kemon_str()))
      builder.header.pointee.result = result
    }
  }

  static func exit(
    status: Int32 = 0, signal: Int32 = 0, reason: (UInt32, UInt32) = (0, 0)
  ) -> OwnedRecord {
    OwnedRecord(KEMON_KIND_PROCESS_EXIT, by: chrome) { builder in
      builder.setPayload(
        kemon_process_exit(
          status: status, signal: signal, reason_namespace: reason.0, reason: reason.1))
    }
  }

  static func invalidPage() -> OwnedRecord {
    OwnedRecord(KEMON_KIND_DYLIB_INVALID, by: chrome) { builder in
      let path = builder.text("/usr/local/lib/libx.dylib")
      builder.setPayload(
        kemon_dylib_invalid(dev: 0, ino: 0, offset: 4096, action: 2, reserved: 0, path: path))
    }
  }

  static func dns(
    _ name: String = "safebrowsing.googleapis.com", packet: [UInt8]? = query,
    by actor: Actor = chrome
  ) -> OwnedRecord {
    OwnedRecord(KEMON_KIND_NET_DNS_QUERY, by: actor) { builder in
      let (source, destination) = (builder.text("localhost"), builder.text("192.168.1.1"))
      let name = builder.text(name)
      let packet = builder.data(packet)
      builder.setPayload(
        kemon_dns_query(
          source: source, destination: destination, source_port: 10863, destination_port: 53,
          query_type: 1, query_class: 1, name: name, packet: packet))
    }
  }

  static func detach(
    _ kind: Int = KEMON_KIND_NET_TCP_DETACH, by actor: Actor = chrome, ether: Bool = false,
    duration: Int64 = 0, packets: (in: UInt32, out: UInt32) = (0, 0),
    bytes: (in: UInt64, out: UInt64) = (0, 0), dump: [UInt8]? = nil, family: UInt16 = 4
  ) -> OwnedRecord {
    OwnedRecord(kind, by: actor) { builder in
      var payload = kemon_net_detach()
      payload.start_ns = 1_531_000_000_000_000_000
      payload.stop_ns = UInt64(Int64(payload.start_ns) + duration)
      payload.source = builder.text("10.7.133.236")
      payload.destination = builder.text("17.253.83.201")
      payload.source_ether = builder.text(ether ? "38:f9:d3:00:11:22" : nil)
      payload.destination_ether = builder.text(ether ? "60:73:5c:33:44:55" : nil)
      payload.source_port = 49213
      payload.destination_port = 443
      payload.address_family = family
      payload.protocol = kind == KEMON_KIND_NET_TCP_DETACH ? 6 : 17
      (payload.in_packets, payload.out_packets) = packets
      (payload.in_bytes, payload.out_bytes) = bytes
      payload.first_in = builder.data(dump)
      payload.first_out = builder.data(dump)
      builder.setPayload(payload)
    }
  }

  static func connect(
    _ kind: Int, port: UInt16 = 49213, verdict: VerdictAction = .abstain, result: Int32 = 0
  ) -> OwnedRecord {
    OwnedRecord(kind, by: chrome) { builder in
      let (source, destination) = (builder.text("10.7.133.236"), builder.text("17.253.83.201"))
      builder.setPayload(
        kemon_net_connect(
          source: source, destination: destination, source_port: port, destination_port: 443,
          address_family: 4, protocol: 6))
      builder.header.pointee.verdict = verdict.rawValue
      builder.header.pointee.result = result
    }
  }

  static func packet(data: [UInt8] = query, isSent: Bool = true) -> OwnedRecord {
    OwnedRecord(KEMON_KIND_NET_PACKET, by: chrome) { builder in
      let (source, destination) = (builder.text("localhost"), builder.text("192.168.1.1"))
      builder.setPayload(
        kemon_net_packet(
          source: source, destination: destination,
          source_ether: builder.text(isSent ? nil : "38:f9:d3:00:11:22"),
          destination_ether: builder.text(isSent ? nil : "60:73:5c:33:44:55"),
          source_port: 10863, destination_port: 53, address_family: 4, protocol: 17,
          address: 0xffff_ff80_49a1_16c0, direction: isSent ? 1 : 0, reserved: 0,
          data: builder.data(data)))
    }
  }

  static func dylib() -> OwnedRecord {
    OwnedRecord(KEMON_KIND_DYLIB_MAP, by: chrome) { builder in
      let path = builder.text("/usr/lib/libSystem.B.dylib")
      builder.setPayload(kemon_dylib_map(dev: 0, ino: 0, protection: 5, flags: 2, path: path))
    }
  }

  static func kext(
    _ kind: Int, _ name: String = "com.example.a", version: String = "1.0",
    path: String? = "/a.kext", base: UInt64 = 0xffff_ff7f_8000_1000, size: UInt64 = 0x1000,
    status: Int32 = 0, verdict: VerdictAction = .abstain
  ) -> OwnedRecord {
    OwnedRecord(kind) { builder in
      let (name, version) = (builder.text(name), builder.text(version))
      let path = builder.text(path)
      builder.setPayload(
        kemon_kext(
          base: base, module_size: size, status: status, reserved: 0, name: name, version: version,
          path: path))
      builder.header.pointee.verdict = verdict.rawValue
    }
  }

  static func policy(
    _ kind: Int, _ name: String, _ fullName: String, conf: UInt64, ops: UInt64, flags: UInt32,
    status: Int32 = 0, verdict: VerdictAction = .abstain, index: UInt32 = .max,
    functions: [(operation: String, address: UInt64, module: String)] = []
  ) -> OwnedRecord {
    OwnedRecord(kind) { builder in
      let (name, fullName) = (builder.text(name), builder.text(fullName))
      let addresses = functions.map(\.address).withUnsafeBytes { builder.text($0) }
      let names = builder.list(functions.map(\.operation))
      let modules = builder.list(functions.map(\.module))
      builder.setPayload(
        kemon_mac_policy(
          conf: conf, ops: ops, ops_version: 55, loadtime_flags: flags, status: status, reserved: 0,
          name: name, full_name: fullName, index: index, handler_count: UInt32(functions.count),
          handlers: addresses, handler_names: names, handler_modules: modules))
      builder.header.pointee.verdict = verdict.rawValue
    }
  }

  static func operation(_ kind: Int, result: Int32 = 0) -> OwnedRecord {
    OwnedRecord(kind, by: chrome) { builder in
      let (policy, name) = (builder.text("AMFI"), builder.text("mpo_file_check_mmap"))
      let arguments = builder.data([UInt8](repeating: 0xAB, count: 16))
      let (names, types) = (builder.list(["cred", "fg"]), builder.list(["kauth_cred_t", "int"]))
      builder.setPayload(
        kemon_mac_op(
          op: 36, argc: 2, policy: policy, op_name: name, arguments: arguments,
          value: Int64(result),
          argument_names: names, argument_types: types))
      builder.header.pointee.result = result
    }
  }

  static func hook(_ function: String, for subject: String?, _ listing: String) -> OwnedRecord {
    OwnedRecord(KEMON_KIND_HOOK_ATTACH) { builder in
      let (function, subject) = (builder.text(function), builder.text(subject))
      let listing = builder.text(listing)
      builder.setPayload(
        kemon_hook_attach(address: 0x1000, function: function, subject: subject, listing: listing))
    }
  }

  static func log(_ text: String) -> OwnedRecord {
    OwnedRecord(KEMON_KIND_KERNEL_LOG) { builder in
      let (source, text) = (builder.text("kernel"), builder.text(text))
      builder.setPayload(kemon_kernel_log(level: 6, reserved: 0, source: source, text: text))
    }
  }
}
