// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

// Unchecked: the memory is written once, before the object is shared.
/// A process that acts, with its texts as records have them: they are copied at once into every record.
final class ActingProcess: @unchecked Sendable {
  let process: Session.Process
  private let texts: UnsafeMutableRawBufferPointer
  // Offsets count from the texts.
  private let subject: kemon_subject

  init(_ process: Session.Process) {
    self.process = process
    var bytes: [UInt8] = []
    func place(_ text: String?) -> kemon_str {
      guard let text else { return kemon_str() }
      defer { bytes.append(0) }
      let start = UInt32(bytes.count)
      bytes.append(contentsOf: text.utf8)
      return kemon_str(off: start + 1, len: UInt32(bytes.count) - start)
    }
    subject = kemon_subject(
      start_ns: process.startNanoseconds, pid: process.pid, tid: process.pid, ppid: process.ppid,
      uid: process.uid, gid: process.gid, flags: 0, exe: place(process.exe),
      comm: place(process.comm), parent: place(process.parent))
    // The builder ends the last text.
    texts = .allocate(byteCount: bytes.count - 1, alignment: 8)
    texts.copyBytes(from: bytes.dropLast())
  }

  deinit { texts.deallocate() }

  /// Says in a record that it acts.
  func setSubject(of builder: inout RecordBuilder) {
    let place = builder.text(UnsafeRawBufferPointer(texts))
    // Only texts of thousands of bytes do not fit into a record that has just been begun.
    guard Int(place.len) == texts.count else { return builder.setSubject(process) }
    func moved(_ text: kemon_str) -> kemon_str {
      text.off == 0 ? text : kemon_str(off: text.off - 1 + place.off, len: text.len)
    }
    var subject = subject
    subject.exe = moved(subject.exe)
    subject.comm = moved(subject.comm)
    subject.parent = moved(subject.parent)
    builder.header.pointee.subject = subject
  }
}

extension RecordBuilder {
  /// Says who acts.
  mutating func setSubject(_ process: Session.Process) {
    header.pointee.subject = kemon_subject(
      start_ns: process.startNanoseconds, pid: process.pid, tid: process.pid, ppid: process.ppid,
      uid: process.uid, gid: process.gid, flags: 0, exe: text(process.exe),
      comm: text(process.comm), parent: text(process.parent))
  }
}
