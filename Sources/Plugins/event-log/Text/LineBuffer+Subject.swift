// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

extension LineBuffer {
  /// Appends the prefix and `action=…` with who acts.
  mutating func append(action: StaticString, of record: RecordView) {
    append(Dialect.prefix)
    append("action=")
    append(action)
    append(actorOf: record)
  }

  /// Appends `, uid=…, process(pid …)=…, parent(ppid …)=…`.
  mutating func append(actorOf record: RecordView) {
    append(", uid=")
    append(decimal: record.event.pointee.subject.uid)
    append(processOf: record)
  }

  /// Appends who acts in a network event: whose process may be gone when it is reported.
  mutating func append(socketOwnerOf record: RecordView, signedUser: Bool = false) {
    let user = record.event.pointee.subject.uid
    append(", uid=")
    if signedUser { append(decimal: Int32(bitPattern: user)) } else { append(decimal: user) }
    append(processOf: record, unnamed: "NULL (ZOMBIE STATE)")
  }

  private mutating func append(processOf record: RecordView, unnamed: StaticString = "") {
    let subject = record.subject
    append(", process(pid ")
    append(decimal: subject.pid)
    append(")=")
    if subject.comm.off == 0, subject.pid > 0 {
      append(unnamed)
    } else {
      append(RecordText(record.bytes(subject.comm)))
    }
    append(", parent(ppid ")
    append(decimal: subject.ppid)
    append(")=")
    append(RecordText(record.bytes(subject.parent)))
  }

  /// Ends a line of a kind that the original did not know: what was decided before, or what came out after.
  mutating func append(outcomeOf record: RecordView) {
    switch record.phase {
    case .pre:
      append(", verdict=")
      append(string: record.verdict.name)
    case .post:
      append(", result=")
      append(string: ErrnoName.describe(linux: record.event.pointee.result))
    case .notify:
      break
    }
    append(".\n")
  }
}
