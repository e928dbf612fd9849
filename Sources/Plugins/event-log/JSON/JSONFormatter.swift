// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

/// Writes each record as one line of JSON, its payload by the schema of its kind.
struct JSONFormatter {
  private let plans = KindPlan.all()
  private let names: Names?
  private let schema: Schema?

  /// Makes a formatter.
  ///
  /// - Parameters:
  ///   - names: who is behind the ids of votes; nil leaves the ids.
  ///   - schema: what the kinds are that plugins have declared; nil leaves their numbers.
  init(names: Names?, schema: Schema?) {
    self.names = names
    self.schema = schema
  }

  /// How to write a kind; nil when nobody knows it.
  private func plan(_ kind: EventKind) -> KindPlan? {
    let number = Int(kind.rawValue)
    guard number < plans.count else { return nil }
    if plans[number] == nil, kind.isDeclared, let info = schema?.info(kind) {
      plans[number] = KindPlan(info)
    }
    return plans[number]
  }

  /// Appends the line of one record.
  func append(_ record: RecordView, to line: inout LineBuffer) {
    let header = record.event.pointee
    line.append("{\"seq\":")
    line.append(decimal: header.seq)
    line.append(",\"time_ns\":")
    line.append(decimal: header.time_ns)
    line.append(",\"corr\":")
    line.append(decimal: header.corr)
    let plan = self.plan(record.kind)
    if let plan {
      line.append(plan.head)
    } else {
      line.append(",\"kind\":\"")
      line.append(hex: UInt64(header.kind))
      line.append("\",\"phase\":\"")
      line.append(string: record.phase.name)
      line.append("\"")
    }
    append(subjectOf: record, to: &line)
    if let plan {
      for field in plan.fields { append(field, of: record, to: &line) }
    }
    append(outcomeOf: record, to: &line)
    append(flags: Int32(header.flags), to: &line)
    line.append("}\n")
  }

  private func append(subjectOf record: RecordView, to line: inout LineBuffer) {
    let subject = record.subject
    line.append(",\"pid\":")
    line.append(decimal: subject.pid)
    line.append(",\"tid\":")
    line.append(decimal: subject.tid)
    line.append(",\"ppid\":")
    line.append(decimal: subject.ppid)
    line.append(",\"uid\":")
    append(identity: subject.uid, to: &line)
    line.append(",\"gid\":")
    append(identity: subject.gid, to: &line)
    line.append(",\"process_start_ns\":")
    line.append(decimal: subject.start_ns)
    line.append(",\"comm\":")
    append(text: subject.comm, of: record, to: &line)
    line.append(",\"parent\":")
    append(text: subject.parent, of: record, to: &line)
    line.append(",\"exe\":")
    append(text: subject.exe, of: record, to: &line)
  }

  private func append(identity: UInt32, to line: inout LineBuffer) {
    if identity == .max { line.append("null") } else { line.append(decimal: identity) }
  }

  // MARK: Payload

  private func append(
    _ plan: KindPlan.FieldPlan, of record: RecordView, to line: inout LineBuffer
  ) {
    line.append(plan.key)
    let header = record.event.pointee
    let payload = Int(header.payload_off)
    let field = plan.field
    guard field.end <= Int(header.payload_size),
      payload + field.end <= record.size
    else {
      // The producer is older than the field.
      return line.append("null")
    }
    let place = UnsafeRawPointer(record.event) + payload + field.offset
    switch field.type {
    case .u16: line.append(decimal: place.loadUnaligned(as: UInt16.self))
    case .u32: line.append(decimal: place.loadUnaligned(as: UInt32.self))
    case .u64: line.append(decimal: place.loadUnaligned(as: UInt64.self))
    case .i32: line.append(decimal: place.loadUnaligned(as: Int32.self))
    case .i64: line.append(decimal: place.loadUnaligned(as: Int64.self))
    case .addr:
      line.append("\"")
      line.append(hex: place.loadUnaligned(as: UInt64.self))
      line.append("\"")
    case .str: append(text: place.loadUnaligned(as: kemon_str.self), of: record, to: &line)
    case .list: append(list: place.loadUnaligned(as: kemon_str.self), of: record, to: &line)
    case .bytes: append(bytes: place.loadUnaligned(as: kemon_str.self), of: record, to: &line)
    }
  }

  private func append(text: kemon_str, of record: RecordView, to line: inout LineBuffer) {
    guard text.off != 0 else { return line.append("null") }
    line.append(json: record.bytes(text))
  }

  private func append(bytes: kemon_str, of record: RecordView, to line: inout LineBuffer) {
    guard bytes.off != 0 else { return line.append("null") }
    line.append("\"")
    line.append(hexOf: record.bytes(bytes))
    line.append("\"")
  }

  private func append(list: kemon_str, of record: RecordView, to line: inout LineBuffer) {
    guard list.off != 0 else { return line.append("null") }
    line.append("[")
    var rest = record.bytes(list)
    var isFirst = true
    // A list that was cut has no NUL behind its last text.
    while !rest.isEmpty {
      let end = rest.firstIndex(of: 0) ?? rest.count
      if !isFirst { line.append(",") }
      isFirst = false
      line.append(json: UnsafeRawBufferPointer(rebasing: rest[..<end]))
      rest = UnsafeRawBufferPointer(rebasing: rest[min(end + 1, rest.count)...])
    }
    line.append("]")
  }

  // MARK: Outcome

  private func append(outcomeOf record: RecordView, to line: inout LineBuffer) {
    let header = record.event.pointee
    if record.phase == .post {
      line.append(",\"result\":")
      line.append(decimal: header.result)
      line.append(",\"errno\":")
      append(errno: header.result, to: &line)
    }
    line.append(",\"verdict\":\"")
    line.append(string: record.verdict.name)
    line.append("\",\"decided_by\":")
    append(plugin: header.decided_by, to: &line)
    line.append(",\"votes\":[")
    for index in 0..<record.voteCount {
      if index > 0 { line.append(",") }
      append(record.vote(index), of: record, to: &line)
    }
    line.append("]")
  }

  private func append(_ vote: kemon_vote, of record: RecordView, to line: inout LineBuffer) {
    line.append("{\"plugin\":")
    append(plugin: vote.plugin_id, to: &line)
    line.append(",\"handler\":")
    append(name: names?.handler(vote.handler_id), or: vote.handler_id, to: &line)
    line.append(",\"tier\":\"")
    line.append(string: VerdictTier(rawValue: vote.tier)?.name ?? "unknown")
    line.append("\",\"action\":\"")
    line.append(string: VerdictAction(rawValue: vote.action)?.name ?? "unknown")
    line.append("\",\"errno\":")
    append(errno: vote.err, to: &line)
    line.append(",\"reason_code\":")
    line.append(decimal: vote.reason_code)
    line.append(",\"latency_ns\":")
    line.append(decimal: vote.latency_ns)
    line.append(",\"reason\":")
    append(text: vote.reason, of: record, to: &line)
    line.append("}")
  }

  private func append(plugin id: UInt32, to line: inout LineBuffer) {
    guard id != 0 else { return line.append("null") }
    append(name: names?.plugin(id), or: id, to: &line)
  }

  private func append(name: RecordText?, or id: UInt32, to line: inout LineBuffer) {
    if let name, !name.isEmpty {
      line.append(json: name.bytes)
    } else {
      line.append("\"#")
      line.append(decimal: id)
      line.append("\"")
    }
  }

  private func append(errno: Int32, to line: inout LineBuffer) {
    guard errno != 0 else { return line.append("null") }
    line.append("\"")
    line.append(string: ErrnoName.describe(linux: errno))
    line.append("\"")
  }

  private func append(flags: Int32, to line: inout LineBuffer) {
    if flags & KEMON_EV_TRUNCATED != 0 { line.append(",\"truncated\":true") }
    if flags & KEMON_EV_REPLAYED != 0 { line.append(",\"replayed\":true") }
    if flags & KEMON_EV_GAP_BEFORE != 0 { line.append(",\"gap_before\":true") }
    if flags & KEMON_EV_LATE != 0 { line.append(",\"late\":true") }
    if flags & KEMON_EV_SYNTHETIC != 0 { line.append(",\"synthetic\":true") }
    if flags & KEMON_EV_REVALIDATE != 0 { line.append(",\"changed\":true") }
  }
}
