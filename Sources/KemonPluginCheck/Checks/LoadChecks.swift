// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents

/// Mapping a library and asking its entry changes nothing else.
enum LoadChecks {
  static let all = [
    open, time, threads, descriptors, signals, environment, settings, entry, versions, hello, table,
  ]

  static let open = Check(
    "load.open", "the library can be mapped with all its symbols", needs: ["static.loader"]
  ) { subject throws(Finding) in
    _ = try subject.open()
    return nil
  }

  /// A host that starts must not wait for its plugins.
  private static let timeLimit: UInt64 = 100_000_000

  static let time = Check(
    "load.time", "loading takes at most 100 ms of processor time", needs: ["load.open"]
  ) { subject throws(Finding) in
    let start = ThreadClock.now()
    _ = try subject.load()
    let taken = ThreadClock.now() - start
    guard taken <= timeLimit else {
      throw .failed("\(taken / 1_000_000) ms, needed are at most \(timeLimit / 1_000_000)")
    }
    return "\(taken / 1000) us"
  }

  static let threads = Check(
    "load.threads", "constructors and entry start no thread", needs: ["load.open"]
  ) { subject throws(Finding) in
    let (before, _) = try states(subject)
    let count = ProcessState.settledThreads(atMost: before.threads.count)
    guard count <= before.threads.count else {
      throw .failed(
        "\(count - before.threads.count) threads more than before; start is the place for them")
    }
    return nil
  }

  static let descriptors = Check(
    "load.descriptors", "constructors and entry leave no file open", needs: ["load.open"]
  ) { subject throws(Finding) in
    let (before, after) = try states(subject)
    return try expectSame(
      Array(before.descriptors), Array(after.descriptors), "descriptors",
      "create is the place to open files")
  }

  static let signals = Check(
    "load.signals", "constructors and entry change no signal", needs: ["load.open"]
  ) { subject throws(Finding) in
    let (before, after) = try states(subject)
    return try expectSame(before.signals, after.signals, "signals", "they belong to the host")
  }

  static let environment = Check(
    "load.environment", "constructors and entry change no environment variable",
    needs: ["load.open"]
  ) { subject throws(Finding) in
    let (before, after) = try states(subject)
    return try expectSame(
      before.environment, after.environment, "variables", "they belong to the host")
  }

  static let settings = Check(
    "load.settings", "constructors and entry change no setting of the process", needs: ["load.open"]
  ) { subject throws(Finding) in
    let (before, after) = try states(subject)
    return try expectSame(before.settings, after.settings, "settings", "they belong to the host")
  }

  static let entry = Check(
    "load.entry", "the entry is pure: the same answer to every thread", needs: ["load.open"]
  ) { subject throws(Finding) in
    let library = try subject.open()
    let answers = ThreadAnswers()
    let threads = (0..<2).map { _ in
      WorkerThread(named: "entry") { answers.add(library) }
    }
    for thread in threads { thread.join() }
    for _ in 0..<2 { answers.add(library) }
    let seen = answers.all
    guard let first = seen.first, seen.allSatisfy({ $0 == first }) else {
      throw .failed("answers differ from call to call; needed is one table that never changes")
    }
    return nil
  }

  static let versions = Check(
    "load.versions", "a host of other majors gets no table, and a reason", needs: ["load.entry"]
  ) { subject throws(Finding) in
    let library = try subject.open()
    for majors in [UInt32(KEMON_ABI_MAJOR) + 1...UInt32(KEMON_ABI_MAJOR) + 2, 0...0] {
      switch library.ask(EntryQuestion(majors: majors)) {
      case .table:
        throw .failed(
          "gives a table to a host that speaks ABI \(majors.lowerBound) to \(majors.upperBound); "
            + "needed is NULL, as kemon_speaks says")
      case .refusal(let why) where why.isEmpty:
        throw .failed("refuses without a reason in hello->why")
      case .refusal: break
      }
    }
    return nil
  }

  static let hello = Check(
    "load.hello", "the entry writes nothing beyond hello->size", needs: ["load.versions"]
  ) { subject throws(Finding) in
    let library = try subject.open()
    // A host of the first days: without `why`, and with nothing behind it.
    let size = MemoryLayout<kemon_hello>.offset(of: \.why) ?? 32
    let memory = try GuardedMemory(count: size)
    var hello = EntryQuestion(majors: 9...9).hello
    hello.size = UInt32(size)
    let place = withUnsafeBytes(of: &hello) {
      memory.place(UnsafeRawBufferPointer(rebasing: $0[..<size]))
    }
    _ = library.ask(at: place.assumingMemoryBound(to: kemon_hello.self))
    return nil
  }

  static let table = Check(
    "load.table", "the plugin's table is in order", needs: ["load.entry"]
  ) { subject throws(Finding) in
    let plugin = try subject.load().plugin
    guard plugin.abi >> 16 == UInt32(KEMON_ABI_MAJOR) else {
      throw .failed("abi is 0x\(String(plugin.abi, radix: 16)), needed is KEMON_ABI")
    }
    guard plugin.create != nil else { throw .failed("create is NULL, needed is a function") }
    guard plugin.concurrency <= UInt32(KEMON_CONC_PER_SUBJECT) else {
      throw .failed("concurrency is \(plugin.concurrency), needed is one of KEMON_CONC_*")
    }
    guard plugin.flags == 0 else { throw .failed("flags is \(plugin.flags), needed is 0") }
    return nil
  }

  // MARK: Parts

  private static func states(
    _ subject: Subject
  ) throws(Finding) -> (before: ProcessState, after: ProcessState) {
    let before = ProcessState.now()
    _ = try subject.load()
    return (before, ProcessState.now())
  }

  static func expectSame(
    _ before: [String], _ after: [String], _ what: String, _ advice: String
  ) throws(Finding) -> String? {
    let change = ProcessState.change(before, after)
    guard change.isEmpty else { throw .failed("changes \(what): \(change); \(advice)") }
    return nil
  }
}

/// The processor time of the calling thread.
enum ThreadClock {
  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
