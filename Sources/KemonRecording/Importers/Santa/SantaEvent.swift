// SPDX-License-Identifier: Apache-2.0

import KemonEvents

extension SantaImporter {
  /// The event kinds that a line becomes.
  struct Event {
    private let pre: Int?
    private let post: Int?

    /// Nil for actions that no kind is there for, as disks that appear.
    init?(_ line: SantaLine) {
      switch line.action {
      case "EXEC":
        // What was denied did not happen.
        pre = KEMON_KIND_PROCESS_EXEC_PRE
        post = line["decision"] == "DENY" ? nil : KEMON_KIND_PROCESS_EXEC
      case "WRITE": (pre, post) = (nil, KEMON_KIND_FILE_WRITE)
      case "DELETE": (pre, post) = (nil, KEMON_KIND_FILE_DELETE)
      case "RENAME": (pre, post) = (nil, KEMON_KIND_FILE_RENAME)
      case "LINK": (pre, post) = (nil, KEMON_KIND_FILE_LINK)
      case "EXCHANGE": (pre, post) = (nil, KEMON_KIND_FILE_EXCHANGE)
      default: return nil
      }
    }

    /// Writes the events of a line.
    ///
    /// - Parameter isEnded: whether the line is known to be whole; else its texts may be cut, and its events say so.
    func tell(
      _ line: SantaLine, isEnded: Bool, _ sink: inout ImportSink
    ) throws(RecordingError) {
      let operation = sink.newOperation()
      if let pre {
        try sink.emit(pre, at: line.time, operation: operation) { builder in
          fill(&builder, line, isEnded)
          builder.header.pointee.verdict =
            switch line["decision"] {
            case "DENY": VerdictAction.deny.rawValue
            case "ALLOW": VerdictAction.allow.rawValue
            default: VerdictAction.abstain.rawValue
            }
        }
      }
      if let post {
        try sink.emit(post, at: line.time, operation: operation) { fill(&$0, line, isEnded) }
      }
    }

    private func fill(_ builder: inout RecordBuilder, _ line: SantaLine, _ isEnded: Bool) {
      if !isEnded { builder.header.pointee.flags |= UInt16(KEMON_EV_TRUNCATED) }
      let isExec = line.action == "EXEC"
      builder.header.pointee.subject.pid = line.number("pid") ?? 0
      builder.header.pointee.subject.tid = 0
      builder.header.pointee.subject.ppid = line.number("ppid") ?? 0
      builder.header.pointee.subject.uid = line.number("uid") ?? .max
      builder.header.pointee.subject.gid = line.number("gid") ?? .max
      builder.header.pointee.subject.exe = builder.text(line.text(isExec ? "path" : "processpath"))
      builder.header.pointee.subject.comm = builder.text(
        isExec
          ? line.text("path")?.split(separator: "/").last.map(String.init) : line.text("process"))
      let path = builder.text(line.text("path"))
      switch line.action {
      case "EXEC":
        // Santa joins the arguments by spaces: those that hold spaces come apart.
        let arguments = line.text("args")?.split(separator: " ").map(String.init) ?? []
        builder.setPayload(
          kemon_exec(
            dev: 0, ino: 0, argc: UInt32(arguments.count), envc: 0, path: path, cwd: kemon_str(),
            argv: builder.list(arguments)))
      case "WRITE", "DELETE":
        builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: path))
      default:
        builder.setPayload(
          kemon_file_pair(
            dev: 0, ino: 0, path: path, to: builder.text(line.text("newpath"))))
      }
    }
  }
}
