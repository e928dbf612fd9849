// SPDX-License-Identifier: Apache-2.0

import Synchronization

@testable import KemonKernel

/// Counts how often somebody was asked.
final class Counter: Sendable {
  private let value = Atomic<Int>(0)

  var count: Int { value.load(ordering: .sequentiallyConsistent) }

  func add() { value.wrappingAdd(1, ordering: .sequentiallyConsistent) }

  func answer(_ number: Int32) -> KauthAnswer {
    add()
    return KauthAnswer(rawValue: number)
  }
}

/// Texts that several threads may add to.
final class Notes: Sendable {
  private let texts = Mutex<[String]>([])

  var all: [String] { texts.withLock { $0 } }

  func add(_ text: String) { texts.withLock { $0.append(text) } }

  func take() -> [String] {
    texts.withLock { texts in
      defer { texts = [] }
      return texts
    }
  }
}
