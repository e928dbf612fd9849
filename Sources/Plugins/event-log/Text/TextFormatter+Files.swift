// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

extension TextFormatter {
  func file(_ action: StaticString, _ record: RecordView, _ line: inout LineBuffer) {
    guard let file = record.view(of: kemon_file.self) else { return unknown(record, &line) }
    line.append(action: action, of: record)
    line.append(", path=")
    line.append(file.path)
    end(record, &line)
  }

  func fileClose(_ record: RecordView, _ line: inout LineBuffer) {
    guard let file = record.view(of: kemon_file_close.self) else { return unknown(record, &line) }
    line.append(action: "KAUTH_FILEOP_CLOSE", of: record)
    line.append(", path=")
    line.append(file.path)
    line.append(file.modified != 0 ? ", modified=true.\n" : ", modified=false.\n")
  }

  func pair(
    _ action: StaticString, _ first: StaticString, _ second: StaticString, _ record: RecordView,
    _ line: inout LineBuffer
  ) {
    guard let pair = record.view(of: kemon_file_pair.self) else { return unknown(record, &line) }
    line.append(action: action, of: record)
    line.append(", ")
    line.append(first)
    line.append("=")
    line.append(pair.path)
    line.append(", ")
    line.append(second)
    line.append("=")
    line.append(pair.to)
    end(record, &line)
  }

  func exec(_ action: StaticString, _ record: RecordView, _ line: inout LineBuffer) {
    guard let exec = record.view(of: kemon_exec.self) else { return unknown(record, &line) }
    line.append(action: action, of: record)
    line.append(", path=")
    line.append(exec.path)
    line.append(", command line=")
    line.append(joining: exec.argv)
    end(record, &line)
  }

  func dylib(_ record: RecordView, _ line: inout LineBuffer) {
    guard let library = record.view(of: kemon_dylib_map.self) else { return unknown(record, &line) }
    line.append(action: "MONITORING_DYNAMIC_LIBRARY", of: record)
    line.append(", dynamic library path=")
    line.append(library.path)
    line.append(".\n")
  }

  /// The original's kinds, all below 0x80, end plainly: it told only of what had succeeded.
  ///
  /// Of what failed, and of kinds that it did not know, the outcome is told, too.
  private func end(_ record: RecordView, _ line: inout LineBuffer) {
    let hasFailed = record.phase == .post && record.event.pointee.result != 0
    if record.kind.rawValue < 0x80, !hasFailed {
      line.append(".\n")
    } else {
      line.append(outcomeOf: record)
    }
  }
}
