// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Records that look like a process opening one file after another.
enum SampleRecords {
  static func build(
    _ number: UInt64, path: String? = nil, verdict: VerdictAction = .abstain,
    _ body: (RecordView) throws -> Void
  ) rethrows {
    var builder = RecordBuilder()
    builder.begin(EventKind(number % 2 == 1 ? KEMON_KIND_FILE_OPEN_PRE : KEMON_KIND_FILE_OPEN))
    builder.header.pointee.seq = number
    builder.header.pointee.corr = (number + 1) / 2
    builder.header.pointee.time_ns = 1_500_000_000_000_000_000 + number
    builder.header.pointee.subject.pid = Int32(100 + number % 3)
    builder.header.pointee.subject.comm = builder.text("sample")
    builder.setPayload(
      kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text(path ?? "/tmp/\(number)")))
    builder.seal()
    if verdict == .deny {
      builder.header.pointee.verdict = verdict.rawValue
      builder.header.pointee.decided_by = 7
      var vote = kemon_vote()
      vote.plugin_id = 7
      vote.action = verdict.rawValue
      withUnsafePointer(to: &vote) { vote in
        "no".withCString { reason in
          builder.append(votes: UnsafeBufferPointer(start: vote, count: 1)) { _ in reason }
        }
      }
    }
    try body(builder.view)
  }

  static func path(_ record: RecordView) -> String {
    record.view(of: kemon_file.self)?.path.string ?? "?"
  }
}
