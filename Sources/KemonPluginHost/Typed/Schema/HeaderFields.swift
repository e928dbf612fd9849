// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// What the header of every record has, by the names that signatures use: `event.time_ns`, `subject.uid`.
enum HeaderFields {
  /// All of them with their places, sorted by name; `event` is the record itself.
  static let all: [String: FieldSource] = {
    var fields: [String: FieldSource] = [
      "event": FieldSource(.record, at: 0, .event, "kemon_event")
    ]
    for (name, offset, type) in event {
      fields["event.\(name)"] = FieldSource(.record, at: offset ?? 0, type)
    }
    let subjectOffset = MemoryLayout<kemon_event>.offset(of: \.subject) ?? 0
    for (name, offset, type) in subject {
      fields["subject.\(name)"] = FieldSource(.record, at: subjectOffset + (offset ?? 0), type)
    }
    return fields
  }()

  private typealias Row = (name: String, offset: Int?, type: PayloadField.FieldType)

  // Offsets of stored fields of structs of C are always known.
  private static let event: [Row] = [
    ("seq", MemoryLayout<kemon_event>.offset(of: \.seq), .u64),
    ("corr", MemoryLayout<kemon_event>.offset(of: \.corr), .u64),
    ("time_ns", MemoryLayout<kemon_event>.offset(of: \.time_ns), .u64),
    ("deadline_ns", MemoryLayout<kemon_event>.offset(of: \.deadline_ns), .u64),
    ("kind", MemoryLayout<kemon_event>.offset(of: \.kind), .u16),
    ("phase", MemoryLayout<kemon_event>.offset(of: \.phase), .u16),
    ("flags", MemoryLayout<kemon_event>.offset(of: \.flags), .u16),
    ("schema", MemoryLayout<kemon_event>.offset(of: \.schema), .u32),
    ("result", MemoryLayout<kemon_event>.offset(of: \.result), .i32),
    ("decided_by", MemoryLayout<kemon_event>.offset(of: \.decided_by), .u32),
    ("verdict", MemoryLayout<kemon_event>.offset(of: \.verdict), .u16),
  ]

  private static let subject: [Row] = [
    ("start_ns", MemoryLayout<kemon_subject>.offset(of: \.start_ns), .u64),
    ("pid", MemoryLayout<kemon_subject>.offset(of: \.pid), .i32),
    ("tid", MemoryLayout<kemon_subject>.offset(of: \.tid), .i32),
    ("ppid", MemoryLayout<kemon_subject>.offset(of: \.ppid), .i32),
    ("uid", MemoryLayout<kemon_subject>.offset(of: \.uid), .u32),
    ("gid", MemoryLayout<kemon_subject>.offset(of: \.gid), .u32),
    ("flags", MemoryLayout<kemon_subject>.offset(of: \.flags), .u32),
    ("exe", MemoryLayout<kemon_subject>.offset(of: \.exe), .str),
    ("comm", MemoryLayout<kemon_subject>.offset(of: \.comm), .str),
    ("parent", MemoryLayout<kemon_subject>.offset(of: \.parent), .str),
  ]
}
