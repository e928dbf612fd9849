// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonPluginKit
import Synchronization
import Testing

@Suite struct LiveTests {
  @Test func `readers see whole values, and later ones later`() {
    let live = Live([0, 0])
    let isEnding = Atomic<Bool>(false)
    let wrong = Atomic<Int>(0)
    let readers = (0..<2).map { number in
      WorkerThread(named: "reads \(number)") {
        var last = 0
        while !isEnding.load(ordering: .relaxed) {
          let value = live.value
          if value[0] != value[1] || value[0] < last { wrong.add(1, ordering: .relaxed) }
          last = value[0]
        }
      }
    }
    for number in 1...2000 { live.replace(with: [number, number]) }
    isEnding.store(true, ordering: .relaxed)
    for reader in readers { reader.join() }
    #expect(wrong.load(ordering: .relaxed) == 0)
    #expect(live.value == [2000, 2000])
  }

  private final class Tracked: Sendable {
    let gone: Mutex<Int>.Reference
    init(_ gone: Mutex<Int>.Reference) { self.gone = gone }
    deinit { gone.count.withLock { $0 += 1 } }
  }

  @Test func `values go with it`() {
    let gone = Mutex<Int>.Reference()
    do {
      let live = Live(Tracked(gone))
      live.replace(with: Tracked(gone))
      #expect(gone.count.withLock { $0 } == 0, "a handler may still read the first")
    }
    #expect(gone.count.withLock { $0 } == 2)
  }
}

extension Mutex where Value == Int {
  fileprivate final class Reference: Sendable {
    let count = Mutex<Int>(0)
  }
}
