// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import Glibc
import KemonEvents
import KemonPluginTesting

/// Instances come and go, and leave nothing behind.
enum LifecycleChecks {
  /// Those that need no events.
  static let alone = [create, refused, stop, descriptors]
  /// Those that do.
  static let withEvents = [process, memory, instances, generations]

  static let create = Check(
    "lifecycle.create", "the plugin can be created and started with its configuration",
    needs: ["load.table", "load.hello"]
  ) { subject throws(Finding) in
    let missing = Set(subject.neededExtensions()).subtracting(Subject.extensions).sorted()
    guard missing.isEmpty else {
      throw .skipped(
        "needs \(missing.joined(separator: ", ")), which the checks' host does not offer")
    }
    let probe = try subject.run()
    defer { probe.end() }
    let handlers = probe.handlers.map { "\($0.name) (\($0.registered.kind))" }
    return handlers.isEmpty ? "no handlers" : "handlers: " + handlers.joined(separator: ", ")
  }

  static let refused = Check(
    "lifecycle.refused", "a host that takes no more handlers gets a reason or a running plugin",
    needs: ["lifecycle.create"]
  ) { subject throws(Finding) in
    let accepting = try subject.run()
    let count = accepting.handlers.count
    accepting.end()
    for limit in 0..<count {
      let probe = try Probe(try subject.load(), subject, config: subject.config)
      probe.registrationLimit = limit
      if let reason = probe.tryToCreate() {
        guard !reason.isEmpty else {
          throw .failed("create returns NULL without a reason when handler \(limit + 1) is refused")
        }
      } else {
        probe.destroy()
      }
    }
    return nil
  }

  static let stop = Check(
    "lifecycle.stop", "no thread of the plugin is left when stop has returned",
    needs: ["lifecycle.create"]
  ) { subject throws(Finding) in
    let table = try subject.load()
    let before = ProcessState.now().threads.count
    let probe = try Probe(table, subject, config: subject.config)
    try probe.create()
    try probe.start()
    probe.stop()
    let count = ProcessState.settledThreads(atMost: before)
    probe.destroy()
    guard count <= before else {
      throw .failed("\(count - before) threads more than before create; stop joins them")
    }
    return nil
  }

  static let descriptors = Check(
    "lifecycle.descriptors", "no file is left open when destroy has returned",
    needs: ["lifecycle.create"]
  ) { subject throws(Finding) in
    // Their hosts are kept: whether anybody calls them late is not known yet.
    try subject.run().end()
    let before = ProcessState.now()
    for _ in 0..<5 { try subject.run().end() }
    return try LoadChecks.expectSame(
      Array(before.descriptors), Array(ProcessState.now().descriptors), "descriptors",
      "destroy closes what create opened")
  }

  static let memory = Check(
    "lifecycle.memory", "a hundred instances leave no memory behind",
    needs: ["lifecycle.stop", "contract.late"]
  ) { subject throws(Finding) in
    // Caches of the runtime fill up in the first rounds.
    for _ in 0..<20 { try live(subject) }
    let rounds = 100
    let before = Int(ckemon_heap_in_use())
    for _ in 0..<rounds { try live(subject) }
    let each = (Int(ckemon_heap_in_use()) - before) / rounds
    // The least that malloc gives is 24 bytes.
    guard each < 16 else {
      throw .failed("\(each) bytes are left of each instance; destroy frees what create made")
    }
    return nil
  }

  static let process = Check(
    "lifecycle.process",
    "signals, environment and settings stay the host's, and no process is left",
    needs: ["contract.events"]
  ) { subject throws(Finding) in
    let table = try subject.load()
    let before = ProcessState.now()
    let probe = try Probe(table, subject, config: subject.config)
    try probe.create()
    try probe.start()
    try probe.ask(probe.offers(2))
    let after = ProcessState.now()
    probe.end()
    _ = try LoadChecks.expectSame(
      before.signals, after.signals, "signals", "they belong to the host")
    _ = try LoadChecks.expectSame(
      before.environment, after.environment, "variables", "they belong to the host")
    _ = try LoadChecks.expectSame(
      before.settings, after.settings, "settings", "they belong to the host")
    guard ProcessState.now().children.isEmpty else {
      throw .failed("leaves processes behind that it has started")
    }
    return nil
  }

  static let instances = Check(
    "lifecycle.instances", "an instance lives on when another one is destroyed",
    needs: ["semantics.repeat"]
  ) { subject throws(Finding) in
    let alone = try subject.run()
    let expected = try alone.ask(alone.offers(4))
    alone.end()
    let first = try subject.run()
    let second = try subject.run()
    let offers = second.offers(4)
    let before = try second.ask(offers)
    first.end()
    let after = try second.ask(offers)
    second.end()
    guard zip(before, expected).allSatisfy({ $0.decides(as: $1) }) else {
      throw .failed("an instance answers otherwise while another one lives")
    }
    guard zip(before, after).allSatisfy({ $0.decides(as: $1) }) else {
      throw .failed("an instance answers otherwise once another one is gone")
    }
    return nil
  }

  static let generations = Check(
    "lifecycle.generations", "twenty generations, each created before the last one is destroyed",
    needs: ["lifecycle.instances"]
  ) { subject throws(Finding) in
    var last: Probe?
    for _ in 0..<20 {
      let library = try OpenLibrary(path: try copy(of: subject.file))
      let probe = try Probe(
        try library.ask(EntryQuestion()).table, subject, config: subject.config)
      try probe.create()
      last?.stop()
      try probe.start()
      last?.destroy()
      last = probe
      try probe.ask(probe.offers(1))
    }
    last?.end()
    return nil
  }

  // MARK: Parts

  /// One life without events, of which the host keeps nothing: for a plugin that makes no late calls.
  private static func live(_ subject: Subject) throws(Finding) {
    let probe = try subject.run()
    probe.end()
    probe.forget()
  }

  /// The path of a copy in memory: the linker takes every copy for another library.
  private static func copy(of file: String) throws(Finding) -> String {
    let source = Glibc.open(file, O_RDONLY | O_CLOEXEC)
    let target = ckemon_memfd_create("generation")
    defer { close(source) }
    guard source >= 0, target >= 0 else { throw .skipped("\(file) cannot be copied") }
    let size = lseek(source, 0, SEEK_END)
    lseek(source, 0, SEEK_SET)
    var left = Int(size)
    while left > 0 {
      let count = sendfile(target, source, nil, left)
      guard count > 0 else { throw .skipped("\(file) cannot be copied") }
      left -= count
    }
    return "/proc/self/fd/\(target)"
  }
}
