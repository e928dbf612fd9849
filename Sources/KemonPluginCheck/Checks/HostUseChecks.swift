// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonEvents
import KemonPluginTesting

/// What a plugin asks its host for, and does behind its back.
enum HostUseChecks {
  static let all = [extensions, thread, table, late, output, blocking]

  static let extensions = Check(
    "contract.extensions", "an extension that the manifest does not ask for may be missing",
    needs: ["contract.events"]
  ) { subject throws(Finding) in
    let all = Subject.extensions
    let needed = subject.neededExtensions()
    for missing in all.subtracting(needed).sorted() {
      let probe = try Probe(
        try subject.load(), subject, config: subject.config, extensions: all.subtracting([missing]))
      if let reason = probe.tryToCreate() {
        throw .failed(
          "cannot do without \(missing) (\"\(reason)\"); needed is its id among the manifest's extensions"
        )
      }
      try probe.start()
      try probe.ask(probe.offers(1))
      probe.end()
    }
    return nil
  }

  static let thread = Check(
    "contract.thread", "functions of the control thread are called there, and at their time",
    needs: ["contract.events"]
  ) { subject throws(Finding) in
    try expectNone(.thread, try lifeWithEvents(subject))
  }

  static let table = Check(
    "contract.table", "the host is called with the table that it gave", needs: ["contract.events"]
  ) { subject throws(Finding) in
    try expectNone(.foreignHost, try lifeWithEvents(subject))
  }

  static let late = Check(
    "contract.late", "the host is not called after destroy has returned", needs: ["contract.events"]
  ) { subject throws(Finding) in
    let probe = try lifeWithEvents(subject)
    usleep(20_000)
    return try expectNone(.late, probe)
  }

  static let output = Check(
    "contract.output", "standard output and error are left to the host", needs: ["contract.events"]
  ) { subject throws(Finding) in
    let before = printed()
    _ = try lifeWithEvents(subject)
    fflush(nil)
    let count = printed() - before
    guard count == 0 else {
      throw .failed(
        "prints \(count) bytes itself; needed is log of the host, or \(KEMON_EXT_OUTPUT)")
    }
    return nil
  }

  static let blocking = Check(
    "contract.blocking", "a handler that votes does not sleep", needs: ["contract.events"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    let offers = probe.offers(4).filter { !$0.handler.isObserver }
    try probe.ask(offers)
    // What sleeps, does so every time; a page that has to be read sleeps once.
    for offer in offers {
      var sleeps = 0
      for _ in 0..<3 {
        let before = voluntarySwitches()
        try probe.ask(offer)
        if voluntarySwitches() > before { sleeps += 1 }
      }
      guard sleeps < 3 else {
        throw .failed(
          "\(offer.text) gives the processor away each time; the operation waits for it")
      }
    }
    return nil
  }

  // MARK: Parts

  private static func lifeWithEvents(_ subject: Subject) throws(Finding) -> Probe {
    let probe = try subject.run()
    try probe.ask(probe.offers(4))
    probe.end()
    return probe
  }

  @discardableResult
  private static func expectNone(_ rule: Probe.Rule, _ probe: Probe) throws(Finding) -> String? {
    if let first = probe.broken(rule).first { throw .failed(first) }
    return nil
  }

  /// Bytes that this process has printed: both streams are one file in memory.
  private static func printed() -> Int {
    var status = stat()
    return fstat(1, &status) == 0 ? Int(status.st_size) : 0
  }

  private static func voluntarySwitches() -> Int {
    var usage = rusage()
    // RUSAGE_THREAD, which Swift's Glibc module does not have.
    getrusage(1, &usage)
    return usage.ru_nvcsw
  }
}
