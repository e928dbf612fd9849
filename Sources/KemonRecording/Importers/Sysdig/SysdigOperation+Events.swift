// SPDX-License-Identifier: Apache-2.0

import KemonEvents

extension SysdigOperation {
  /// Writes the events of the operation: before it, as it began, and after it, with its result.
  ///
  /// - Parameters:
  ///   - exit: where the call ended.
  ///   - enter: where it began; without it, the time before is that of the end.
  ///   - isModified: for a close, whether the file was written through the descriptor.
  func tell(
    _ exit: SysdigLine, _ enter: SysdigLine?, isModified: Bool, _ sink: inout ImportSink
  ) throws(RecordingError) {
    let operation = sink.newOperation()
    let (pre, post) = kinds
    if let pre {
      let start = enter ?? exit
      try sink.emit(pre, at: start.time, operation: operation) { builder in
        Self.fill(&builder, start)
        fill(&builder, isModified)
      }
    }
    if let post {
      try sink.emit(post, at: exit.time, operation: operation) { builder in
        Self.fill(&builder, exit)
        builder.header.pointee.result = exit.errorNumber
        fill(&builder, isModified)
      }
    }
  }

  private var kinds: (pre: Int?, post: Int?) {
    switch self {
    case .open(let path, let flags, _):
      if Self.isDevice(path) { return (KEMON_KIND_DEVICE_OPEN_PRE, KEMON_KIND_DEVICE_OPEN) }
      if flags.creates { return (KEMON_KIND_FILE_CREATE_PRE, KEMON_KIND_FILE_CREATE) }
      if flags.writes { return (KEMON_KIND_FILE_WRITE_PRE, KEMON_KIND_FILE_WRITE) }
      return (KEMON_KIND_FILE_OPEN_PRE, KEMON_KIND_FILE_OPEN)
    case .close: return (nil, KEMON_KIND_FILE_CLOSE)
    case .delete: return (KEMON_KIND_FILE_DELETE_PRE, KEMON_KIND_FILE_DELETE)
    case .rename: return (KEMON_KIND_FILE_RENAME_PRE, KEMON_KIND_FILE_RENAME)
    case .link: return (KEMON_KIND_FILE_LINK_PRE, KEMON_KIND_FILE_LINK)
    case .execute: return (KEMON_KIND_PROCESS_EXEC_PRE, KEMON_KIND_PROCESS_EXEC)
    case .map: return (KEMON_KIND_DYLIB_MAP, nil)
    case .connect: return (KEMON_KIND_NET_CONNECT_PRE, KEMON_KIND_NET_CONNECT)
    }
  }

  /// Whether a path is a device by its place; shared memory lies there too, and is files.
  private static func isDevice(_ path: String) -> Bool {
    path.hasPrefix("/dev/") && !path.hasPrefix("/dev/shm/") && !path.hasPrefix("/dev/mqueue/")
  }

  private func fill(_ builder: inout RecordBuilder, _ isModified: Bool) {
    switch self {
    case .open(let path, let flags, let mode):
      builder.setPayload(
        kemon_file(
          dev: 0, ino: 0, flags: flags.rawValue, mode: mode, path: builder.text(path)))
    case .close(let path):
      builder.setPayload(
        kemon_file_close(
          dev: 0, ino: 0, modified: isModified ? 1 : 0, reserved: 0, path: builder.text(path)))
    case .delete(let path):
      builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text(path)))
    case .rename(let path, let to), .link(let path, let to):
      builder.setPayload(
        kemon_file_pair(dev: 0, ino: 0, path: builder.text(path), to: builder.text(to)))
    case .execute(let path, let directory, let arguments):
      builder.setPayload(
        kemon_exec(
          dev: 0, ino: 0, argc: UInt32(arguments.count), envc: 0, path: builder.text(path),
          cwd: builder.text(directory), argv: builder.list(arguments)))
    case .map(let path, let protection, let flags):
      builder.setPayload(
        kemon_dylib_map(
          dev: 0, ino: 0, protection: protection, flags: flags, path: builder.text(path)))
    case .connect(let ends, let family, let transport):
      let source = ends.sourcePort == 0 ? "localhost" : String(ends.source)
      builder.setPayload(
        kemon_net_connect(
          source: builder.text(source), destination: builder.text(String(ends.destination)),
          source_port: ends.sourcePort, destination_port: ends.destinationPort,
          address_family: family, protocol: transport))
    }
  }

  private static func fill(_ builder: inout RecordBuilder, _ line: SysdigLine) {
    var subject = builder.header.pointee.subject
    subject.pid = number(line.pid)
    subject.tid = number(line.tid)
    subject.ppid = number(line.ppid)
    subject.uid = line.uid.flatMap { UInt32(exactly: $0) } ?? .max
    subject.exe = builder.text(name(line.processPath))
    subject.comm = builder.text(name(line.processName))
    builder.header.pointee.subject = subject
  }

  /// sysdig shows -1 for what it does not know.
  private static func number(_ value: Int64?) -> Int32 {
    value.flatMap { Int32(exactly: $0) }.map { max(0, $0) } ?? 0
  }

  private static func name(_ text: String?) -> String? {
    text == "" || text == "<NA>" ? nil : text
  }
}
