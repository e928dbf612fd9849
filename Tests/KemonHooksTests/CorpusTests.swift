// SPDX-License-Identifier: Apache-2.0

import CHookCorpus
import CHookFixtures
import KemonHooks
import Testing

/// Functions with hard beginnings do the same with a hook as without.
@Suite(.serialized) struct CorpusTests {
  @Test func `the corpus is large`() {
    #if arch(x86_64) && os(Linux)
      #expect(CorpusCase.all.count >= 120)
    #endif
  }

  @Test(arguments: CorpusCase.all) func `hooked and unhooked do the same`(
    _ item: CorpusCase
  ) throws {
    let inputs = CorpusCall.inputs
    let expected = inputs.map { $0.run(item.function) }
    let expectedCompanion = item.companion.map { other in inputs.map { $0.run(other) } }
    let before = item.bytes

    let probe = Probe()
    if item.needsTrap || item.mustBeRefused {
      let error = try #require(throws: HookError.self) {
        try HookEngine.attach(
          entry: item.function,
          HookOptions(safety: .quiescent, allowsTraps: item.mustBeRefused),
          handlers: probe.handlers)
      }
      #expect(error.code == .branchIntoWindow || error.code == .tooShort)
      #expect(!error.message.isEmpty)
      #expect(item.bytes == before)
    }
    guard !item.mustBeRefused else { return }
    let hook = try HookEngine.attach(
      entry: item.function, HookOptions(safety: .quiescent, allowsTraps: item.needsTrap),
      handlers: probe.handlers)
    var events = 0
    for (input, outcome) in zip(inputs, expected) {
      let found = input.run(item.function)
      #expect(found == outcome, "\(input)")
      events += item.isRecursive ? Int(input.count) + 1 : 1
      #expect(probe.preCount == events, "\(input)")
      #expect(probe.postCount == events, "\(input)")
    }
    if let companion = item.companion, let expectedCompanion {
      for (input, outcome) in zip(inputs, expectedCompanion) {
        let found = input.run(companion)
        #expect(found == outcome, "the companion, \(input)")
      }
    }
    try hook.detach()
    #expect(item.bytes == before)
    let again = inputs.map { $0.run(item.function) }
    #expect(again == expected)
    #expect(probe.preCount == probe.postCount)
  }
}
