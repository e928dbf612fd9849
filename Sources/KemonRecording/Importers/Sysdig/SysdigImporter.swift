// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// Imports system calls that sysdig recorded.
///
/// Most calls show what they are about where they end. So an operation is told when it is complete: the event before
/// it carries the time at which it began and what became known at its end, and can be voted on like a live one.
struct SysdigImporter: TraceImporter {
  static let name = "sysdig-json"
  static let summary = "JSON lines of sysdig: files, executions, libraries, connections"
  static let howToMake = """
    sysdig -r FILE.scap -j -p '%evt.num %evt.rawtime %evt.dir %evt.type %evt.rawres %evt.args \
    %fd.num %fd.name %fd.typechar %proc.pid %proc.ppid %proc.name %proc.exepath %thread.tid %user.uid'
    """

  private static let lineLimit = 1 << 20
  /// Calls that may be open and descriptors that may be written at a time: more is no trace of a real system.
  private static let tableLimit = 1 << 13
  /// Bytes of arguments that are remembered of a call that has begun: a path has at most 4096.
  private static let rememberedBytes = 1 << 14

  private struct Descriptor: Hashable {
    let pid: Int64
    let number: Int64
  }

  /// The calls that have begun, by thread.
  private var begun: [Int64: SysdigLine] = [:]
  private var written: Set<Descriptor> = []

  mutating func run(_ input: ImportInput, _ sink: inout ImportSink) throws(RecordingError) {
    try JSONLines<SysdigLine>(limit: Self.lineLimit).forEach(input, &sink) {
      line, sink throws(RecordingError) in
      try add(line, &sink)
    }
    for line in begun.values { Self.skipBegun(line, &sink) }
    begun = [:]
  }

  private mutating func add(
    _ line: SysdigLine, _ sink: inout ImportSink
  ) throws(RecordingError) {
    guard SysdigOperation.types.contains(line.type) else {
      noteWrite(line)
      return sink.skip(noKindFor: line.type)
    }
    switch line.direction {
    case ">":
      guard line.argumentLength <= Self.rememberedBytes else {
        return sink.skip("beginning of a call with too much text")
      }
      if begun.count >= Self.tableLimit, let thread = begun.keys.first {
        begun.removeValue(forKey: thread).map { Self.skipBegun($0, &sink) }
      }
      begun.updateValue(line, forKey: line.thread).map { Self.skipBegun($0, &sink) }
    case "<":
      var enter = begun.removeValue(forKey: line.thread)
      if let other = enter, other.type != line.type {
        Self.skipBegun(other, &sink)
        enter = nil
      }
      try complete(line, enter, &sink)
    default:
      sink.skip("neither beginning nor end of a call")
    }
  }

  private mutating func complete(
    _ exit: SysdigLine, _ enter: SysdigLine?, _ sink: inout ImportSink
  ) throws(RecordingError) {
    let inputs = enter == nil ? 1 : 2
    let isModified =
      exit.type == "close" && descriptor(of: exit).flatMap { written.remove($0) } != nil
    let operation: SysdigOperation
    do throws(SysdigOperation.Skip) {
      operation = try SysdigOperation(exit, enter)
    } catch {
      return sink.skip(error.reason, inputs)
    }
    try operation.tell(exit, enter, isModified: isModified, &sink)
    sink.use(inputs)
  }

  /// Remembers that a file was changed: its close tells.
  private mutating func noteWrite(_ line: SysdigLine) {
    guard line.direction == "<", line.descriptorType == "f", line.result ?? 0 > 0,
      ["write", "pwrite", "writev", "pwritev"].contains(line.type),
      let descriptor = descriptor(of: line), written.count < Self.tableLimit
    else { return }
    written.insert(descriptor)
  }

  private func descriptor(of line: SysdigLine) -> Descriptor? {
    guard let pid = line.pid, let number = line.descriptor else { return nil }
    return Descriptor(pid: pid, number: number)
  }

  private static func skipBegun(_ line: SysdigLine, _ sink: inout ImportSink) {
    sink.skip("\(line.type) without its end")
  }
}
