// SPDX-License-Identifier: Apache-2.0

import CHookCorpus

/// One call of a function of the corpus: what it gets, and what is seen of what it does.
struct CorpusCall: CustomStringConvertible {
  let first: UInt64
  let second: UInt64
  /// In rcx: how often loops go round.
  let count: UInt64
  let seed: UInt64

  /// Everything that a call leaves behind.
  struct Outcome: Equatable {
    let results: [UInt64]
    let vectors: [UInt64]
    let memory: [UInt64]
    let kept: Bool
  }

  var description: String { "rdi \(first), rsi \(second), rcx \(count)" }

  /// Equal, smaller, larger, of different signs, overflowing: every condition is met and missed.
  static let inputs: [CorpusCall] = {
    let pairs: [(UInt64, UInt64)] = [
      (0, 0), (1, 2), (2, 1), (5, 5), (.max, 1), (1, .max), (1 << 63, 1), (1, 1 << 63),
      (0x7FFF_FFFF_FFFF_FFFF, .max), (0x1_0000_0000, 3), (0xDEAD_BEEF_0BAD_F00D, 0x1234_5678),
    ]
    return pairs.enumerated().map { index, pair in
      CorpusCall(
        first: pair.0, second: pair.1, count: UInt64(index % 8),
        seed: UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15)
    }
  }()

  func run(_ function: UnsafeRawPointer) -> Outcome {
    var random = seed
    func next() -> UInt64 {
      random ^= random << 13
      random ^= random >> 7
      random ^= random << 17
      return random
    }
    var memory = (0..<8).map { _ in next() }
    var state = corpus_state()
    withUnsafeMutableBytes(of: &state.vectors) {
      for index in $0.indices { $0[index] = UInt8(truncatingIfNeeded: next()) }
    }
    withUnsafeMutableBytes(of: &state.stack) {
      for index in $0.indices { $0[index] = UInt8(truncatingIfNeeded: next()) }
    }
    state.wide = Self.hasWideVectors ? 1 : 0
    state.rax = seed & 8
    state.r10 = UInt64(UInt(bitPattern: corpus_helper_address()))
    memory.withUnsafeMutableBytes { bytes in
      let address = UInt64(UInt(bitPattern: bytes.baseAddress))
      state.integers = (first, second, address, count, seed, ~seed)
      corpus_call(function, &state)
      // The address of the memory differs from call to call.
      if state.result.1 == address { state.result.1 = 0 }
    }
    return Outcome(
      results: [state.result.0, state.result.1],
      vectors: withUnsafeBytes(of: state.result_vectors) { Array($0.bindMemory(to: UInt64.self)) },
      memory: memory, kept: state.kept == 1)
  }

  private static let hasWideVectors: Bool = {
    var item = corpus_case()
    item.feature = Int32(CORPUS_AVX)
    return corpus_can_run(&item) != 0
  }()
}
