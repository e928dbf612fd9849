// SPDX-License-Identifier: Apache-2.0

import CHookCorpus
import CHookFixtures
import KemonHooks
import Testing

/// Functions with hard beginnings do the same with a hook as without.
@Suite(.serialized) struct CorpusTests {
  static let cases = (0..<corpus_count()).compactMap { corpus_case_at($0)?.pointee }

  @Test func `the corpus is large`() {
    #if arch(x86_64) && os(Linux)
      #expect(Self.cases.count >= 100)
    #endif
  }

  @Test(arguments: cases) func `hooked and unhooked do the same`(_ item: corpus_case) throws {
    guard corpus_can_run(&[item]) != 0 else { return }
    let function = try #require(item.function)
    let inputs = CorpusCall.inputs
    let expected = inputs.map { $0.run(function) }
    let expectedCompanion = item.companion.map { other in inputs.map { $0.run(other) } }
    let before = Array(UnsafeRawBufferPointer(start: function, count: 16))

    let probe = Probe()
    let hook = try HookEngine.attach(
      entry: function, safety: .quiescent, handlers: probe.handlers)
    var events = 0
    for (input, result) in zip(inputs, expected) {
      #expect(input.run(function) == result, "\(input)")
      events += item.events == CORPUS_PER_RCX ? Int(input.count) + 1 : 1
      #expect(probe.preCount == events, "\(input)")
      #expect(probe.postCount == events, "\(input)")
    }
    if let companion = item.companion, let expectedCompanion {
      for (input, result) in zip(inputs, expectedCompanion) {
        #expect(input.run(companion) == result, "the companion, \(input)")
      }
    }
    try hook.detach()
    #expect(Array(UnsafeRawBufferPointer(start: function, count: 16)) == before)
    #expect(inputs.map { $0.run(function) } == expected)
    #expect(probe.preCount == probe.postCount)
  }
}

extension corpus_case: @retroactive CustomTestStringConvertible, @unchecked @retroactive Sendable {
  // Unchecked: constants of the program.
  public var testDescription: String { String(cString: name) }
}
