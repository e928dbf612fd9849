// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Synchronization
import Testing

@testable import KemonKernel

/// A kernel with files only: scopes, a tree, Kemon's hooks, and a plugin that does what the test says.
final class FilesMachine {
  let kauth = KauthScopes()
  let files: FileSystem
  let monitor: FilesMonitor
  let records: KernelRecords
  private let ring = EventRing()
  private let subscription: Subscription
  private let dispatcher: Dispatcher
  private let plugin: FilePlugin

  /// The superuser, and two users of a group of their own.
  let launchd: ProcessContext
  let bash: ProcessContext
  let mallory: ProcessContext

  init(
    _ plugin: FilePlugin = FilePlugin(), release: KernelRelease = .macOS10_13_6,
    policies: PolicyCheck = .none, hooked: Bool = true, lookups: Bool = false
  ) throws {
    self.plugin = plugin
    files = FileSystem(release: release, kauth: kauth, policies: policies)
    dispatcher = Dispatcher(ring: ring)
    dispatcher.add(plugin.handlers)
    subscription = try ring.subscribe(named: "test", overflow: .drop)
    records = KernelRecords(dispatcher: dispatcher)
    monitor = FilesMonitor(files, records: records)
    launchd = files.context(for: process(1, "launchd", uid: 0))
    bash = files.context(for: process(501, "bash", uid: 501))
    mallory = files.context(for: process(666, "mallory", uid: 666))
    try files.makeDirectory("/etc", as: launchd)
    try files.makeDirectory("/dev", as: launchd)
    try files.makeDirectory("/tmp", as: launchd)
    try files.setMode(0o1777, of: "/tmp", as: launchd)
    try write("localhost", to: "/etc/hosts", as: launchd)
    if hooked { try monitor.attach(lookups: lookups) }
  }

  deinit {
    do { try monitor.detach() } catch { Issue.record(error) }
  }

  /// Makes a file with this text.
  func write(_ text: String, to path: String, as context: ProcessContext) throws {
    let file = try files.open(path, [.write, .create], as: context)
    try files.write(text, to: file, as: context)
    try files.close(file, as: context)
  }

  /// The text of a file, read by the superuser without events counting: hooks see it like any other.
  func text(_ path: String) -> String? {
    guard let vnode = try? files.vnode(path) else { return nil }
    return files.withContents(of: vnode) { String(decoding: vnode.contents, as: UTF8.self) }
  }

  /// What was told since the last time.
  func seen() -> [FileEvent] {
    var seen: [FileEvent] = []
    while subscription.drain({ record in
      seen.append(FileEvent(record))
      return true
    }) > 0 {}
    return seen
  }
}

/// Something that is done to files, with the name that it is known by.
struct FileCall: Sendable, CustomTestStringConvertible {
  let name: String
  let make: @Sendable (FilesMachine) throws -> Void

  init(_ name: String, _ make: @escaping @Sendable (FilesMachine) throws -> Void) {
    self.name = name
    self.make = make
  }

  var testDescription: String { name }
}

func process(_ pid: Int32, _ comm: String, uid: UInt32) -> Session.Process {
  Session.Process(
    name: comm, pid: pid, ppid: 1, uid: uid, gid: uid, comm: comm, parent: "launchd",
    exe: "/bin/\(comm)")
}

/// A record about files, copied.
struct FileEvent: Equatable, CustomStringConvertible {
  var kind = ""
  var phase = EventPhase.notify
  var path = ""
  var to = ""
  var corr: UInt64 = 0
  var result: Int32 = 0
  var flags: Int32 = 0
  var mode: UInt32 = 0
  var inode: UInt64 = 0
  var modified: UInt32 = 0
  var verdict = VerdictAction.abstain
  var pid: Int32 = 0

  init(_ record: RecordView) {
    kind = record.kind.info?.name ?? "?"
    phase = record.phase
    corr = record.event.pointee.corr
    result = record.event.pointee.result
    verdict = record.verdict
    pid = record.subject.pid
    switch record.kind.info?.payloadSize {
    case MemoryLayout<kemon_file_close>.size where kind == "file.close":
      guard let file = record.view(of: kemon_file_close.self) else { return }
      (path, inode, modified) = (file.path.string, file.ino, file.modified)
    case _ where ["file.rename", "file.exchange", "file.link", "file.will_rename"].contains(kind):
      guard let pair = record.view(of: kemon_file_pair.self) else { return }
      (path, to, inode) = (pair.path.string, pair.to.string, pair.ino)
    case _ where kind.hasPrefix("file."):
      guard let file = record.view(of: kemon_file.self) else { return }
      (path, inode, flags, mode) = (file.path.string, file.ino, file.flags, file.mode)
    case _ where kind == "kernel.log":
      path = record.view(of: kemon_kernel_log.self)?.text.string ?? ""
    default: break
    }
  }

  var description: String {
    let paths = to.isEmpty ? path : "\(path) \(to)"
    let end = result == 0 ? "" : " \(ErrnoName.describe(linux: result))"
    return kind == "kernel.log" ? path : "\(phase.name) \(kind.dropFirst(5)) \(paths)\(end)"
  }
}

/// A plugin that denies, narrows, changes and replaces by kind and path.
final class FilePlugin: Sendable {
  /// Another value for a field of a file.
  struct Change: Sendable {
    let field: String
    let value: Int64

    static func flags(_ value: Int64) -> Change { Change(field: "flags", value: value) }
    static func mode(_ value: Int64) -> Change { Change(field: "mode", value: value) }
  }

  let denied: [String: Int32]
  let masks: [String: UInt64]
  let replaced: [String: Int64]
  let changed: [String: Change]
  let asked = Atomic<Int>(0)

  /// - Parameters:
  ///   - denied: Linux errnos by "kind path".
  ///   - masks: what an open may do.
  ///   - replaced: results by "kind path", Linux errnos.
  ///   - changed: fields by "kind path".
  init(
    denied: [String: Int32] = [:], masks: [String: UInt64] = [:], replaced: [String: Int64] = [:],
    changed: [String: Change] = [:]
  ) {
    self.denied = denied
    self.masks = masks
    self.replaced = replaced
    self.changed = changed
  }

  private func answer(_ event: FileEvent, _ verdict: UnsafeMutablePointer<kemon_verdict>) -> Int32 {
    asked.wrappingAdd(1, ordering: .relaxed)
    let name = "\(event.kind.dropFirst(5)) \(event.path)"
    if event.phase == .pre, let error = denied[name] {
      return kemon_deny(verdict, error, "denied by the test")
    }
    if event.phase == .pre, let mask = masks[name] {
      verdict.pointee.action = UInt16(KEMON_MODIFY)
      verdict.pointee.allow_mask = mask
    }
    if event.phase == .pre, let change = changed[name] {
      verdict.pointee.action = UInt16(KEMON_MODIFY)
      verdict.pointee.flags =
        ModifiableFields(named: "\(event.kind).\(change.field)")?.patchFlags ?? 0
      verdict.pointee.result = change.value
    }
    if event.phase == .post, let result = replaced[name] {
      return kemon_replace_result(verdict, result, "replaced by the test")
    }
    return KEMON_OK
  }

  var handlers: [Handler] {
    let context = Unmanaged.passUnretained(self).toOpaque()
    return [EventPhase.pre, .post].map { phase in
      var handler = Handler(
        name: phase.name, pluginID: 7, pluginName: "test",
        kinds: EventKind.matching("file.*", phase: phase),
        function: { context, event, verdict in
          guard let context, let event, let verdict else { return KEMON_E_INVALID }
          let plugin = Unmanaged<FilePlugin>.fromOpaque(context).takeUnretainedValue()
          return plugin.answer(FileEvent(RecordView(trusted: event)), verdict)
        }, context: context)
      handler.modifiable = ModifiableFields(rawValue: .max)
      return handler
    }
  }
}
