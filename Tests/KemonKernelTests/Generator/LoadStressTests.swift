// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import Synchronization
import Testing

@testable import KemonKernel

extension OneKernel {
  @Suite struct LoadStressTests {
    /// How many events happen; the environment can ask for more.
    private static let events =
      ProcessInfo.processInfo.environment["KEMON_STRESS_EVENTS"].flatMap { Int($0) } ?? 20_000

    @Test func `eight threads drive all families while handlers come, go and are replaced`() throws
    {
      let ring = EventRing()
      let dispatcher = Dispatcher(ring: ring)
      let subscription = try ring.subscribe(named: "test", overflow: .drop)
      let model = try KernelModel(dispatcher: dispatcher)
      let rules = Rules(denied: ["com.example.load3": 1], replaced: ["com.example.load5": 12])
      let isOver = Atomic<Bool>(false)
      let changes = Atomic<Int>(0)
      let changer = WorkerThread(named: "changer") {
        let handlers = rules.handlers
        var tokens = dispatcher.add(handlers)
        while !isOver.load(ordering: .acquiring) {
          dispatcher.setEnabled(false, tokens[0])
          dispatcher.replace(tokens[1], with: handlers[1])
          dispatcher.setEnabled(true, tokens[0])
          dispatcher.remove(tokens)
          tokens = dispatcher.add(handlers)
          changes.wrappingAdd(1, ordering: .relaxed)
        }
        dispatcher.remove(tokens)
      }
      let reader = WorkerThread(named: "reader") {
        while !isOver.load(ordering: .acquiring) {
          if subscription.drain({ _ in true }) == 0 { sched_yield() }
        }
      }
      let result = try model.run(
        GeneratedLoad(seed: 9, .events(Self.events), threads: 8))
      isOver.store(true, ordering: .releasing)
      changer.join()
      reader.join()
      while subscription.drain({ _ in true }) > 0 {}
      try model.close()
      #expect(result.events >= Self.events)
      #expect(ring.published == UInt64(result.events))
      let account = subscription.account
      #expect(account.isBalanced)
      #expect(account.produced == UInt64(result.events))
      #expect(changes.load(ordering: .relaxed) > 0)
      // Everything but the kexts that were denied goes well.
      #expect(result.parts.allSatisfy { $0.family == "kext" || $0.failures == 0 })
    }
  }
}
