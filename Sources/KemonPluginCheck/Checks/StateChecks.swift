// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// What one generation saves for the next.
enum StateChecks {
  static let all = [save, foreign]

  static let save = Check(
    "lifecycle.save", "what was saved is taken, and saved again as the same bytes",
    needs: ["contract.events"]
  ) { subject throws(Finding) in
    let first = try subject.run()
    try first.ask(first.offers(4))
    guard let saved = try first.save() else { throw .skipped("the plugin has no save") }
    first.end()
    let second = try Probe(try subject.load(), subject, config: subject.config, state: saved)
    try second.create()
    try second.start()
    let again = try second.save()
    second.end()
    guard again == saved else {
      throw .failed(
        "\(saved.count) bytes were saved, and \(again?.count ?? 0) others after they were taken")
    }
    return "\(saved.count) bytes"
  }

  static let foreign = Check(
    "lifecycle.state", "a state that it does not know does no harm", needs: ["lifecycle.save"]
  ) { subject throws(Finding) in
    let table = try subject.load()
    guard table.plugin.save != nil else { throw .skipped("the plugin has no save") }
    var random = CheckRandom(seed: subject.seed)
    let states: [[UInt8]] =
      [[], [0], [UInt8](repeating: 0xFF, count: 64)]
      + (0..<32).map { _ in
        (0..<Int.random(in: 1...256, using: &random)).map { _ in
          UInt8.random(in: 0...255, using: &random)
        }
      }
    for state in states {
      let probe = try Probe(table, subject, config: subject.config, state: state)
      if let reason = probe.tryToCreate() {
        guard !reason.isEmpty else { throw .failed("create refuses a state without a reason") }
        continue
      }
      try probe.start()
      try probe.ask(probe.offers(1))
      probe.end()
    }
    return nil
  }
}
