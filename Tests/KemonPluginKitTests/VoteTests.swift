// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit
import Testing

@testable import KemonPluginKit

@Suite struct VoteTests {
  private func written(_ vote: Vote) -> kemon_verdict {
    var verdict = kemon_blank_verdict()
    vote.write(to: &verdict)
    return verdict
  }

  @Test func `no opinion leaves the verdict as it was`() {
    let (blank, verdict) = (kemon_blank_verdict(), written(.abstain))
    #expect(verdict.action == blank.action && verdict.flags == blank.flags)
    #expect(verdict.allow_mask == blank.allow_mask && verdict.err == 0 && verdict.result == 0)
  }

  @Test(
    arguments: [
      (.abstain, 0), (.allow, 0), (.deny("no"), 0), (.replaceResult(1, ""), KEMON_V_RESULT),
    ] as [(Vote, Int32)])
  func `an answer may hold for all equal events`(vote: Vote, flags: Int32) {
    let (verdict, plain) = (written(vote.cacheable()), written(vote))
    #expect(Int32(plain.flags) == flags)
    #expect(Int32(verdict.flags) == flags | KEMON_V_CACHEABLE)
    #expect(verdict.action == plain.action && verdict.err == plain.err)
    #expect(vote.cacheable() == vote.cacheable().cacheable())
    #expect(vote.cacheable() != vote)
  }
}
