// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

/// A record that a test built, with its bytes.
public final class OwnedRecord {
  private var builder = RecordBuilder()

  /// Builds a record of a kind.
  ///
  /// - Parameters:
  ///   - kind: a `KEMON_KIND_*` constant.
  ///   - actor: who acts.
  ///   - fill: sets the payload and what else of the header is wanted.
  public init(
    _ kind: Int, by actor: Actor = Actor(), _ fill: (inout RecordBuilder) -> Void
  ) {
    builder.begin(EventKind(kind))
    let comm = builder.text(actor.comm)
    let parent = builder.text(actor.parent)
    let exe = builder.text(actor.exe)
    builder.header.pointee.subject = kemon_subject(
      start_ns: actor.startTime, pid: actor.pid, tid: actor.tid, ppid: actor.ppid, uid: actor.uid,
      gid: actor.gid, flags: 0, exe: exe, comm: comm, parent: parent)
    fill(&builder)
    builder.seal()
  }

  /// The record; valid as long as this object is.
  public var view: RecordView { builder.view }

  /// The header, for tests that break it.
  public var header: UnsafeMutablePointer<kemon_event> { builder.header }

  /// Adds votes.
  public func append(_ votes: [kemon_vote], reasons: [String?]) {
    let texts = reasons.map { reason in
      reason.map { text in
        let bytes = Array(text.utf8CString)
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        copy.initialize(from: bytes, count: bytes.count)
        return copy
      }
    }
    votes.withUnsafeBufferPointer { votes in
      builder.append(votes: votes) { index in texts[index].map { UnsafePointer($0) } }
    }
    for text in texts { text?.deallocate() }
  }
}

/// Who acts in a test's record: by default the process that loads kernel extensions.
public struct Actor: Sendable {
  /// Numbers of the process, its thread, its parent, its user and group.
  public var pid: Int32 = 59, tid: Int32 = 60, ppid: Int32 = 1, uid: UInt32 = 0, gid: UInt32 = 0
  /// When the process started.
  public var startTime: UInt64 = 0
  /// Names; nil is absent.
  public var comm: String? = "kextd", parent: String? = "launchd", exe: String?

  /// The process that loads kernel extensions.
  public init() {}

  /// Another process.
  public init(
    pid: Int32, _ comm: String?, ppid: Int32 = 1, parent: String? = "launchd", uid: UInt32 = 501
  ) {
    self.pid = pid
    self.comm = comm
    self.ppid = ppid
    self.parent = parent
    self.uid = uid
  }
}
