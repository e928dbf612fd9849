// SPDX-License-Identifier: Apache-2.0

import Dispatch
import KemonBus
import KemonEvents
import Testing

@testable import KemonKernel

/// A kernel with files and processes, Kemon's hooks around processes, and a plugin that does what the test says.
final class ProcessMachine {
  let files: FileSystem
  let processes: Processes
  let monitor: ProcessMonitor
  let records: KernelRecords
  private let subscription: Subscription
  private let plugin: ProcessPlugin

  let launchd: ModelProcess
  let bash: ModelProcess
  let mallory: ModelProcess

  init(
    _ plugin: ProcessPlugin = ProcessPlugin(), release: KernelRelease = .macOS10_13_6,
    policies: ProcessPolicies = .none, hooked: Bool = true
  ) throws {
    self.plugin = plugin
    let ring = EventRing()
    let dispatcher = Dispatcher(ring: ring)
    dispatcher.add(plugin.handlers)
    subscription = try ring.subscribe(named: "test", overflow: .drop)
    records = KernelRecords(dispatcher: dispatcher)
    files = FileSystem(release: release, kauth: KauthScopes())
    processes = Processes(files: files, policies: policies)
    monitor = ProcessMonitor(processes, records: records)
    launchd = processes.adopt(
      Session.Process(
        name: "launchd", pid: 1, ppid: 0, uid: 0, gid: 0, comm: "launchd", parent: "kernel_task",
        exe: "/sbin/launchd"))
    bash = processes.adopt(process(501, "bash", uid: 501))
    mallory = processes.adopt(process(666, "mallory", uid: 666))
    try add(ImageDescription(), at: "/bin/ls")
    try add(ImageDescription(), at: "/bin/sh")
    try add("#!/bin/sh -x\necho hello\n", at: "/tmp/script.sh")
    if hooked { try monitor.attach() }
  }

  deinit {
    do { try monitor.detach() } catch { Issue.record(error) }
  }

  /// Puts an image into the tree.
  func add(_ image: ImageDescription, at path: String, mode: UInt16 = 0o755) throws {
    try files.place(
      TreeEntry(type: .regular, mode: mode, user: 0, group: 0, contents: image.bytes), at: path)
  }

  /// Puts a text into the tree that may be executed.
  func add(_ text: String, at path: String, mode: UInt16 = 0o755) throws {
    try files.place(
      TreeEntry(type: .regular, mode: mode, user: 0, group: 0, contents: Array(text.utf8)),
      at: path)
  }

  /// The table: every process with its parent, its name and its arguments.
  var table: [String] {
    processes.all.map { process in
      let identity = process.identity
      let arguments = process.arguments.isEmpty ? "" : " " + process.arguments.description
      let end = process.end.map { " (\($0.text))" } ?? ""
      return "\(identity.pid) \(identity.ppid) \(identity.comm)\(arguments)\(end)"
    }
  }

  /// What was told since the last time.
  func seen() -> [ProcessEvent] {
    var seen: [ProcessEvent] = []
    while subscription.drain({ record in
      seen.append(ProcessEvent(record))
      return true
    }) > 0 {}
    return seen
  }
}

/// A record about processes or images, copied.
struct ProcessEvent: Equatable, CustomStringConvertible {
  var kind = ""
  var phase = EventPhase.notify
  var path = ""
  var arguments: [String] = []
  var corr: UInt64 = 0
  var result: Int32 = 0
  var isLate = false
  var isCut = false
  var pid: Int32 = 0
  var ppid: Int32 = 0
  var start: UInt64 = 0
  var comm = ""
  var parent = ""
  var other: Int32 = 0
  var number: Int32 = 0
  var directory = ""
  var argc: UInt32 = 0

  init(_ record: RecordView) {
    kind = record.kind.info?.name ?? "?"
    phase = record.phase
    corr = record.event.pointee.corr
    result = record.event.pointee.result
    isLate = record.event.pointee.flags & UInt16(KEMON_EV_LATE) != 0
    isCut = record.event.pointee.flags & UInt16(KEMON_EV_TRUNCATED) != 0
    let subject = record.subject
    (pid, ppid, start) = (subject.pid, subject.ppid, subject.start_ns)
    (comm, parent) = (record.text(subject.comm), record.text(subject.parent))
    if let exec = record.view(of: kemon_exec.self), kind.hasPrefix("process.exec") {
      (path, directory, argc) = (exec.path.string, exec.cwd.string, exec.argc)
      arguments = exec.argv.list.map(\.string)
    } else if kind == "process.exit", let exit = record.view(of: kemon_process_exit.self) {
      (number, other) = (exit.signal == 0 ? exit.status : exit.signal, Int32(exit.reason))
    } else if kind == "dylib.map", let library = record.view(of: kemon_dylib_map.self) {
      (path, number, other) = (library.path.string, library.protection, library.flags)
    } else if kind == "dylib.invalid", let page = record.view(of: kemon_dylib_invalid.self) {
      (path, number, other) = (page.path.string, Int32(page.action), Int32(page.offset))
    } else if let process = record.view(of: kemon_process.self), kind.hasPrefix("process.") {
      (other, path) = (process.target_pid, process.target_comm.string)
    } else if let log = record.view(of: kemon_kernel_log.self), kind == "kernel.log" {
      path = log.text.string
    }
  }

  var description: String {
    let words = [phase.name, kind, path] + arguments
    let end = (result == 0 ? "" : " \(ErrnoName.describe(linux: result))") + (isLate ? " late" : "")
    return words.filter { !$0.isEmpty }.joined(separator: " ") + end
  }
}

/// A plugin that denies and replaces by phase, kind and path.
final class ProcessPlugin: Sendable {
  let denied: [String: Int32]
  let replaced: [String: Int64]
  let gate: Gate?

  /// - Parameters:
  ///   - denied: Linux errnos by the description of an event up to its path.
  ///   - replaced: results by the same, Linux errnos.
  ///   - gate: where the plugin waits for the test.
  init(denied: [String: Int32] = [:], replaced: [String: Int64] = [:], gate: Gate? = nil) {
    self.denied = denied
    self.replaced = replaced
    self.gate = gate
  }

  /// Holds the thread of one event until the test lets it go on.
  final class Gate: Sendable {
    private let description: String
    private let (entered, opened) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))

    init(at description: String) { self.description = description }

    fileprivate func pass(_ event: ProcessEvent) {
      guard event.description == description else { return }
      entered.signal()
      opened.wait()
    }

    /// Runs a closure while a thread waits at the gate, and returns when the thread has come to its end.
    func whileWaiting(
      _ call: @escaping @Sendable () -> Void, _ body: () throws -> Void
    ) rethrows {
      let thread = WorkerThread(named: "caller", call)
      entered.wait()
      defer {
        opened.signal()
        thread.join()
      }
      try body()
    }
  }

  private func answer(
    _ event: ProcessEvent, _ verdict: UnsafeMutablePointer<kemon_verdict>
  ) -> Int32 {
    gate?.pass(event)
    let name = "\(event.kind) \(event.path)"
    if event.phase == .pre, let error = denied[name] ?? denied[event.kind] {
      return kemon_deny(verdict, error, "denied by the test")
    }
    if event.phase == .post, let result = replaced[name] ?? replaced[event.kind] {
      return kemon_replace_result(verdict, result, "replaced by the test")
    }
    return KEMON_OK
  }

  var handlers: [Handler] {
    let context = Unmanaged.passUnretained(self).toOpaque()
    return [EventPhase.pre, .post].map { phase in
      Handler(
        name: phase.name, pluginID: 7, pluginName: "test",
        kinds: EventKind.matching("process.*", phase: phase)
          + EventKind.matching("dylib.*", phase: phase)
          + EventKind.matching("file.open", phase: phase),
        function: { context, event, verdict in
          guard let context, let event, let verdict else { return KEMON_E_INVALID }
          let plugin = Unmanaged<ProcessPlugin>.fromOpaque(context).takeUnretainedValue()
          return plugin.answer(ProcessEvent(RecordView(trusted: event)), verdict)
        }, context: context)
    }
  }
}
