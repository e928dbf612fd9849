// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonPluginTesting

/// What answers may depend on.
enum SemanticsChecks {
  static let all = [same, mode, truncated, cache]

  static let same = Check(
    "semantics.repeat", "the same events get the same answers from a new instance",
    needs: ["contract.events"]
  ) { subject throws(Finding) in
    try compare(subject, (KEMON_MODE_RUN, "once"), (KEMON_MODE_RUN, "again"), skew: 0x1234)
  }

  static let mode = Check(
    "semantics.mode", "a replay gets the same answers as a run", needs: ["semantics.repeat"]
  ) { subject throws(Finding) in
    try compare(subject, (KEMON_MODE_RUN, "in a run"), (KEMON_MODE_REPLAY, "in a replay"))
    return try compare(
      subject, (KEMON_MODE_RUN, "in a run"), (KEMON_MODE_BENCH, "in a benchmark"))
  }

  static let truncated = Check(
    "semantics.truncated", "nothing is allowed by a text that is cut", needs: ["semantics.repeat"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    for offer in probe.offers(16) where !offer.handler.isObserver {
      guard try probe.ask(offer).isDenial else { continue }
      let cut = CutRecord.make(from: offer.record.view)
      guard offer.handler.takes(cut.view) else { continue }
      let answer = try probe.ask(Offer(handler: offer.handler, record: cut))
      guard answer.status != KEMON_OK || answer.action != UInt16(KEMON_ALLOW) else {
        throw .failed(
          "\(offer.text): denied in full, allowed when its texts are cut (KEMON_EV_TRUNCATED)")
      }
    }
    return nil
  }

  static let cache = Check(
    "semantics.cache", "an answer that may be remembered depends on the declared fields only",
    needs: ["semantics.repeat"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    let cacheable = UInt16(KEMON_V_CACHEABLE)
    var variants = VariantMaker(seed: subject.seed, words: subject.words())
    var compared = 0
    for offer in probe.offers(8) where offer.handler.registered.cacheFields != 0 {
      let answer = try probe.ask(offer)
      guard answer.status == KEMON_OK, answer.flags & cacheable != 0 else { continue }
      for _ in 0..<20 {
        let variant = variants.variant(
          of: offer.record.view, keeping: offer.handler.registered.cacheFields)
        guard offer.handler.takes(variant.view) else { continue }
        compared += 1
        let other = try probe.ask(Offer(handler: offer.handler, record: variant))
        guard answer.decides(as: other) else {
          throw .failed(
            "\(offer.text): \(answer.text) may be remembered, but an event that is equal in "
              + "cache_fields gets \(other.text)")
        }
      }
    }
    guard compared > 0 else { throw .skipped("no answer is flagged KEMON_V_CACHEABLE") }
    return "\(compared) events compared"
  }

  // MARK: Parts

  /// - Parameter skew: by how many bytes the heap lies elsewhere the second time, so that addresses differ.
  @discardableResult
  private static func compare(
    _ subject: Subject, _ first: (mode: Int32, text: String), _ second: (mode: Int32, text: String),
    skew: Int = 0
  ) throws(Finding) -> String? {
    let one = try subject.run(mode: first.mode)
    let offers = one.offers(8)
    let expected = try one.ask(offers)
    one.end()
    let filler = UnsafeMutableRawPointer.allocate(byteCount: 1 + skew, alignment: 1)
    defer { filler.deallocate() }
    let other = try subject.run(mode: second.mode)
    let answers = try other.ask(other.offers(8))
    other.end()
    guard answers.count == expected.count else {
      throw .failed("registers other handlers \(second.text)")
    }
    for (index, pair) in zip(expected, answers).enumerated() where !pair.0.decides(as: pair.1) {
      throw .failed(
        "\(offers[index].text): \(pair.0.text) \(first.text), \(pair.1.text) \(second.text)")
    }
    return nil
  }
}
