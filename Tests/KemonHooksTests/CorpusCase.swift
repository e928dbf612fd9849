// SPDX-License-Identifier: Apache-2.0

import CHookCorpus
import Testing

/// A function of the corpus that this processor can run.
struct CorpusCase: CustomTestStringConvertible, @unchecked Sendable {
  // Unchecked: addresses of code.

  let name: String
  let function: UnsafeRawPointer
  /// Another function that shares code with it.
  let companion: UnsafeRawPointer?
  /// It calls itself by its name, once for every count.
  let isRecursive: Bool
  /// It is refused, unless breakpoints are allowed.
  let needsTrap: Bool
  /// It is refused.
  let mustBeRefused: Bool

  var testDescription: String { name }

  /// Its first bytes as they are now.
  var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: function, count: 16)) }

  static let all: [CorpusCase] = (0..<corpus_count()).compactMap { index in
    guard let item = corpus_case_at(index), corpus_can_run(item) != 0 else { return nil }
    return CorpusCase(item.pointee)
  }

  private init?(_ item: corpus_case) {
    guard let function = item.function else { return nil }
    name = String(cString: item.name)
    self.function = function
    companion = item.companion
    isRecursive = item.events == CORPUS_PER_RCX
    needsTrap = item.refusal == CORPUS_NEEDS_TRAP
    mustBeRefused = item.refusal == CORPUS_MUST_REFUSE
  }
}
