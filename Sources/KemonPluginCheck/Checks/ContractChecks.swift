// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonPluginTesting

/// The rules of the headers about events and verdicts.
enum ContractChecks {
  static let all = [events, verdict, constant, size, kept]

  static let events = Check(
    "contract.events", "everyday events are answered", needs: ["lifecycle.create"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    let offers = probe.offers(8)
    for offer in offers {
      let answer = try probe.ask(offer)
      guard answer.status <= 0 else {
        throw .failed("\(offer.text) returns \(answer.status), needed is KEMON_OK or a KEMON_E_*")
      }
    }
    let met = Set(offers.map(\.handler.name))
    let named = probe.handlers.filter { $0.registered.signature != nil }.map(\.name)
    let others = probe.handlers.map(\.name).filter { !met.contains($0) && !named.contains($0) }
    var notes: [String] = []
    if !named.isEmpty {
      notes.append("not called, as it has a signature: \(named.joined(separator: ", "))")
    }
    if !others.isEmpty {
      notes.append("the filter lets none of the events through: \(others.joined(separator: ", "))")
    }
    return notes.isEmpty ? nil : notes.joined(separator: "; ")
  }

  static let verdict = Check(
    "contract.verdict", "a verdict says nothing that the headers do not know",
    needs: ["contract.events"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    for offer in probe.offers(8) where !offer.handler.isObserver {
      let answer = try probe.ask(offer)
      if answer.status == KEMON_OK, let mistake = mistake(in: answer, offer.record.view.phase) {
        throw .failed("\(offer.text): \(mistake)")
      }
    }
    return nil
  }

  /// What is wrong with a verdict, or nil.
  private static func mistake(in answer: ProbeAnswer, _ phase: EventPhase) -> String? {
    let known = UInt16(KEMON_V_RESULT | KEMON_V_CACHEABLE)
    guard answer.size == UInt32(MemoryLayout<kemon_verdict>.size) else {
      return "changes verdict->size, which is the host's"
    }
    guard answer.action <= UInt16(KEMON_DENY) else {
      return "action \(answer.action) is none of KEMON_ABSTAIN .. KEMON_DENY"
    }
    guard answer.flags & ~known == 0 else {
      return "unknown flags 0x\(String(answer.flags & ~known, radix: 16))"
    }
    guard answer.error >= 0, answer.error < 4096 else {
      return "err \(answer.error) is no errno"
    }
    guard answer.reason.contains(0) else { return "the reason has no NUL at its end" }
    let replaces = answer.flags & UInt16(KEMON_V_RESULT) != 0
    if replaces, answer.action != UInt16(KEMON_MODIFY) || phase != .post {
      return "KEMON_V_RESULT belongs to KEMON_MODIFY in a post handler"
    }
    return nil
  }

  static let constant = Check(
    "contract.const", "nothing is written to an event", needs: ["contract.events"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    try probe.ask(probe.offers(8), .readOnly)
    return nil
  }

  static let kept = Check(
    "contract.kept", "event and verdict are left alone once the handler has returned",
    needs: ["contract.const", "contract.size"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    try probe.ask(probe.offers(16), .retired)
    return nil
  }

  static let size = Check(
    "contract.size", "nothing is written beyond verdict->size", needs: ["contract.events"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    let size = MemoryLayout<kemon_verdict>.size
    for offer in probe.offers(4) {
      let memory = try GuardedMemory(count: size)
      var preset = ProbeVerdict.preset
      let place = withUnsafeBytes(of: &preset) { memory.place($0) }
      _ = probe.call(
        offer.handler, offer.record.view.event, place.assumingMemoryBound(to: kemon_verdict.self))
    }
    return nil
  }
}
