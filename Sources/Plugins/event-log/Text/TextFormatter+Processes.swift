// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

extension TextFormatter {
  func exec(_ action: StaticString, _ record: RecordView, _ line: inout LineBuffer) {
    guard let exec = record.view(of: kemon_exec.self) else { return unknown(record, &line) }
    line.append(action: action, of: record)
    line.append(", path=")
    line.append(exec.path)
    line.append(", command line=")
    // The original's words for arguments that its buffer did not hold.
    let isCut = exec.argv.bytes.last.map { $0 != 0 } ?? false
    if isCut { line.append("Command line overflow!") } else { line.append(joining: exec.argv) }
    if record.event.pointee.flags & UInt16(KEMON_EV_LATE) != 0 { line.append(", late failure") }
    end(record, &line)
  }

  /// A fork or a trace, with the other process of it.
  func process(
    _ action: StaticString, _ role: StaticString, _ record: RecordView, _ line: inout LineBuffer
  ) {
    guard let other = record.view(of: kemon_process.self) else { return unknown(record, &line) }
    line.append(action: action, of: record)
    if other.target_pid != 0 {
      line.append(", ")
      line.append(role)
      line.append("(pid ")
      line.append(decimal: other.target_pid)
      line.append(")=")
      line.append(other.target_comm)
    }
    end(record, &line)
  }

  func processExit(_ record: RecordView, _ line: inout LineBuffer) {
    guard let exit = record.view(of: kemon_process_exit.self) else { return unknown(record, &line) }
    line.append(action: "PROCESS_EXIT", of: record)
    if exit.signal == 0 {
      line.append(", status=")
      line.append(decimal: exit.status)
    } else {
      line.append(", signal=")
      line.append(decimal: exit.signal)
    }
    if exit.reason_namespace != 0 {
      line.append(", reason=")
      line.append(decimal: exit.reason_namespace)
      line.append(".")
      line.append(decimal: exit.reason)
    }
    line.append(".\n")
  }

  func dylib(_ record: RecordView, _ line: inout LineBuffer) {
    guard let library = record.view(of: kemon_dylib_map.self) else { return unknown(record, &line) }
    line.append(action: "MONITORING_DYNAMIC_LIBRARY", of: record)
    line.append(", dynamic library path=")
    line.append(library.path)
    line.append(".\n")
  }

  func invalidPage(_ record: RecordView, _ line: inout LineBuffer) {
    guard let page = record.view(of: kemon_dylib_invalid.self) else {
      return unknown(record, &line)
    }
    line.append(action: "DYLIB_INVALID", of: record)
    line.append(", dynamic library path=")
    line.append(page.path)
    line.append(", offset=")
    line.append(hex: page.offset)
    switch page.action {
    case 0: line.append(", used.\n")
    case 1: line.append(", refused.\n")
    default: line.append(", killed.\n")
    }
  }
}
