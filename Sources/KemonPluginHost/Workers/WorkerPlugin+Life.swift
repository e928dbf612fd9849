// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonPlatform
import KemonText
import Synchronization

/// The control functions, as the host calls those of every plugin.
extension WorkerPlugin {
  /// The table of a plugin whose code is elsewhere.
  static func table() -> kemon_plugin {
    var table = kemon_plugin()
    table.size = UInt32(MemoryLayout<kemon_plugin>.size)
    table.abi = HostServices.abi
    table.create = { host, create, error in
      guard let host = HostTable.plugin(host), let worker = host.worker, let create else {
        return nil
      }
      return worker.create(for: host, create.pointee, error)
    }
    table.start = { worker, error in
      WorkerPlugin.of(worker).map { $0.start(error) } ?? KEMON_E_INVALID
    }
    table.save = { worker, sink in
      guard let worker = WorkerPlugin.of(worker), let sink else { return KEMON_E_INVALID }
      return worker.save(to: sink)
    }
    // The handlers have left; the worker stops its plugin before it destroys it.
    table.destroy = { WorkerPlugin.of($0)?.end() }
    return table
  }

  private static func of(_ pointer: UnsafeMutableRawPointer?) -> WorkerPlugin? {
    pointer.map { Unmanaged<WorkerPlugin>.fromOpaque($0).takeUnretainedValue() }
  }

  private func create(
    for host: LoadedPlugin, _ create: kemon_create, _ buffer: UnsafeMutablePointer<kemon_error>?
  ) -> UnsafeMutableRawPointer? {
    state.withLock { state in
      state.host = host
      if let bytes = create.state {
        state.saved = Array(UnsafeRawBufferPointer(start: bytes, count: Int(create.state_len)))
      }
    }
    do throws(WorkerFailure) {
      let process = try startSupervisor()
      try adopt(try greet(process), in: host)
      return Unmanaged.passUnretained(self).toOpaque()
    } catch {
      error.report(to: buffer)
      end(isAsked: false)
      return nil
    }
  }

  private func start(_ buffer: UnsafeMutablePointer<kemon_error>?) -> kemon_status {
    let (host, process) = state.withLock { ($0.host, $0.link) }
    do throws(WorkerFailure) {
      guard let host, let process else { throw WorkerFailure("its process has ended") }
      let body = try process.exchange(
        [(.start, Array("{}".utf8))], awaiting: .started, nanoseconds: limits.startTime)
      try adopt(try body.json(), in: host)
      state.withLock { state in
        state.isRunning = true
        state.hasRun = true
      }
      return KEMON_OK
    } catch {
      error.report(to: buffer)
      // One that says why it failed ends by itself.
      _ = process?.waitForEnd(milliseconds: 1000)
      return error.status
    }
  }

  private func save(to sink: UnsafeMutablePointer<kemon_sink>) -> kemon_status {
    do throws(WorkerFailure) {
      try saveExactly()
    } catch {
      services.log.log(
        .error, source: "host", "plugin \(name): its worker does not save its state: \(error)")
      return error.status
    }
    let saved = state.withLock { $0.saved }
    guard !saved.isEmpty else { return KEMON_OK }
    return saved.withUnsafeBytes {
      sink.pointee.write(sink, $0.baseAddress, UInt64($0.count))
    }
  }

  /// Asks for the state when all that was sent to be observed is in it; the host sends nothing more meanwhile.
  ///
  /// While there is no process, what the last one said holds, as it does for the next.
  private func saveExactly() throws(WorkerFailure) {
    guard let process = state.withLock({ $0.isRunning && $0.canSave ? $0.link : nil }) else {
      return
    }
    let end = EventClock.monotonic() + limits.stopTime
    while process.feed.pending > 0 {
      guard !process.hasEnded else { throw WorkerFailure("the process ended") }
      guard EventClock.monotonic() < end else {
        throw WorkerFailure("\(process.feed.pending) events wait to be observed")
      }
      usleep(200)
    }
    try takeState(of: process, nanoseconds: limits.stopTime)
  }

  // MARK: Frames

  /// Says hello to a new process, which creates the plugin.
  func greet(_ process: WorkerProcess) throws(WorkerFailure) -> JSONValue {
    let saved = state.withLock { $0.saved }
    var frames: [(WorkerFrame, [UInt8])] = saved.isEmpty ? [] : [(.state, saved)]
    frames.append((.hello, Array(hello.text.utf8)))
    let body = try process.exchange(frames, awaiting: .created, nanoseconds: limits.startTime)
    let created = try body.json()
    state.withLock { state in
      state.concurrency = UInt32(clamping: created.value(at: "concurrency")?.integer ?? 0)
      state.canSave = created.value(at: "saves")?.bool ?? false
      state.report.confinement = created.value(at: "confinement")?.string ?? ""
    }
    let confinement = report.confinement
    if confinement.contains("this kernel has no") {
      services.log.log(
        .warn, source: "host", "plugin \(name): its worker is held by \(confinement)")
    }
    return created
  }

  /// Registers the handlers that a worker has, and removes those that it has no more.
  private func adopt(_ body: JSONValue, in host: LoadedPlugin) throws(WorkerFailure) {
    let descriptions = body.value(at: "handlers")?.elements ?? []
    guard descriptions.count <= HandlerRequest.countLimit else {
      throw WorkerFailure("\(descriptions.count) handlers", status: KEMON_E_FULL)
    }
    var kept: Set<UInt32> = []
    let known = state.withLock { $0.handlers }
    for description in descriptions {
      guard let handler = WorkerHandler(description, of: self) else {
        throw WorkerFailure("a handler without a name or a number", status: KEMON_E_INVALID)
      }
      guard kept.insert(handler.id).inserted else {
        throw WorkerFailure("two handlers of number \(handler.id)", status: KEMON_E_INVALID)
      }
      if known[handler.id] != nil { continue }
      let token = try handler.register(with: host)
      state.withLock { $0.handlers[handler.id] = (handler, token) }
    }
    for (id, entry) in known where !kept.contains(id) {
      _ = host.unregister(entry.token)
      state.withLock { $0.handlers[id] = nil }
    }
  }

  /// Lets a new process take the place of one that has ended, when it has the same handlers.
  func revive(_ process: WorkerProcess) throws(WorkerFailure) {
    _ = try greet(process)
    let body = try process.exchange(
      [(.start, Array("{}".utf8))], awaiting: .started, nanoseconds: limits.startTime)
    let descriptions = try body.json().value(at: "handlers")?.elements ?? []
    let known = state.withLock { $0.handlers.values.map(\.handler.description) }
    guard descriptions.count == known.count, descriptions.allSatisfy(known.contains) else {
      throw WorkerFailure("it has other handlers than before")
    }
  }

  /// Asks the plugin for its state, which the next process will get.
  func checkpoint() {
    guard let process = state.withLock({ $0.isRunning && $0.canSave ? $0.link : nil }) else {
      return
    }
    do throws(WorkerFailure) {
      try takeState(of: process, nanoseconds: limits.budget)
    } catch {
      // Once, until it can again; one that ends has another story.
      let isKnown = state.withLock { state in
        defer { state.cannotSave = true }
        return state.cannotSave
      }
      guard !isKnown, !process.waitForEnd(milliseconds: 100) else { return }
      services.log.log(
        .warn, source: "host",
        "plugin \(name): its worker does not save its state (\(error)); the next one gets an older one"
      )
    }
  }

  private func takeState(
    of process: WorkerProcess, nanoseconds: UInt64
  ) throws(WorkerFailure) {
    let saved = try process.exchange(
      [(.save, Array("{}".utf8))], awaiting: .saved, nanoseconds: nanoseconds)
    state.withLock { state in
      state.saved = saved
      state.cannotSave = false
    }
  }

  /// Ends the worker: it stops and destroys its plugin, or is ended.
  ///
  /// - Parameter isAsked: whether it is asked to; one that could not create its plugin ends by itself.
  func end(isAsked: Bool = true) {
    let (process, successor, supervisor) = state.withLock { state in
      state.isEnding = true
      state.isRunning = false
      state.isAsked = state.link.map { !$0.hasEnded } ?? true
      defer { state.supervisor = nil }
      return (state.link, state.successor, state.supervisor)
    }
    successor?.kill()
    if let process, isAsked, !process.hasEnded {
      do throws(WorkerFailure) {
        let body = try process.exchange(
          [(.stop, Array("{}".utf8))], awaiting: .stopped, nanoseconds: limits.stopTime)
        let count = try body.json().value(at: "misbehaviour")?.integer ?? 0
        let host = state.withLock { $0.host }
        for _ in 0..<min(max(count, 0), 1000) { host?.noteMisbehaviour() }
      } catch {
        if !process.hasEnded {
          services.log.log(
            .warn, source: "host",
            "plugin \(name): its worker does not stop (\(error)); it is ended")
        }
      }
    }
    if let process, !process.waitForEnd(milliseconds: 1000) { process.kill() }
    wake.signal()
    supervisor?.join()
  }
}
