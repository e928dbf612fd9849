// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

/// The laws of the join: whoever adds a field to a verdict must keep them.
@Suite struct VerdictTests {
  private static func random(_ random: inout SplitMix64) -> Verdict {
    let action = VerdictAction.allCases.randomElement(using: &random) ?? .allow
    return Verdict(
      action: action,
      error: [0, 1, 2, 3, 5, 13, 17, 22, 35, -7].randomElement(using: &random) ?? 1,
      allowMask: Bool.random(using: &random) ? .max : random.next(),
      replacement: [nil, 0, 0, 5, -3, 7].randomElement(using: &random) ?? nil,
      reasonCode: UInt32.random(in: 0...2, using: &random),
      decidedBy: UInt32.random(in: 0...3, using: &random),
      priority: Int32.random(in: -1...1, using: &random))
  }

  @Test func `joining is commutative, associative and idempotent`() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<20_000 {
      let (a, b, c) = (Self.random(&random), Self.random(&random), Self.random(&random))
      #expect(a.joined(with: b) == b.joined(with: a))
      #expect(a.joined(with: b).joined(with: c) == a.joined(with: b.joined(with: c)))
      #expect(a.joined(with: a) == a)
    }
  }

  @Test func `the strongest action wins in every order`() {
    for left in VerdictAction.allCases {
      for right in VerdictAction.allCases {
        let joined = Verdict(action: left).joined(with: Verdict(action: right))
        #expect(joined.action == max(left, right))
      }
    }
  }

  @Test(
    arguments: [
      ([1, 13], 13), ([13, 2], 2), ([2, 3], 3), ([3, 22], 22), ([22, 35], 35), ([5, 1], 1),
      ([17, 5], 5), ([35, 1, 13, 22], 35), ([0, 13], 13), ([0, 5], 1),
    ] as [([Int32], Int32)])
  func `the errno follows the kernel's precedence`(errors: [Int32], expected: Int32) {
    let verdict = errors.map { Verdict(action: .deny, error: $0) }
      .reduce(Verdict()) { $0.joined(with: $1) }
    #expect(verdict.error == expected)
  }

  @Test func `priority names the decider and never turns a denial into something else`() {
    let deny = Verdict(action: .deny, error: 13, decidedBy: 1, priority: 100)
    let allow = Verdict(action: .allow, decidedBy: 2, priority: -100)
    #expect(allow.joined(with: deny).isDenied)
    let other = Verdict(action: .deny, error: 13, decidedBy: 3, priority: -5)
    #expect(deny.joined(with: other).decidedBy == 3)
  }

  @Test func `masks only ever lose bits`() {
    let joined = Verdict(action: .modify, allowMask: 0b1100)
      .joined(with: Verdict(action: .modify, allowMask: 0b0110))
    #expect(joined.allowMask == 0b0100)
  }
}
