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

  /// The original's kinds end plainly: it told only of what had succeeded.
  ///
  /// Of what failed, and of kinds that it did not know, the outcome is told, too.
  func end(_ record: RecordView, _ line: inout LineBuffer) {
    let hasFailed = record.phase == .post && record.event.pointee.result != 0
    // Numbers that the original left free.
    let isNew = (0x30..<0x40).contains(record.kind.rawValue)
    if record.kind.rawValue < 0x80, !hasFailed, !isNew {
      line.append(".\n")
    } else {
      line.append(outcomeOf: record)
    }
  }
}
