// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

@testable import KemonKernel

extension OneKernel {
  @Suite struct GeneratedLoadTests {
    /// Runs a load in a model of its own: what came of it, how much of each kind was published, and by how many processes.
    private func run(
      _ load: GeneratedLoad, _ rules: Rules = Rules()
    ) throws -> (result: GeneratedLoad.Result, kinds: [String: Int], processes: Set<Int32>) {
      let ring = EventRing(slots: 1 << 15)
      let dispatcher = Dispatcher(ring: ring)
      let subscription = try ring.subscribe(named: "test", overflow: .drop)
      let tokens = dispatcher.add(rules.handlers)
      let model = try KernelModel(dispatcher: dispatcher)
      let result = try model.run(load)
      try model.close()
      dispatcher.remove(tokens)
      var kinds: [String: Int] = [:]
      var processes: Set<Int32> = []
      for record in drain(subscription) {
        kinds["\(record.phase.name) \(record.kind)", default: 0] += 1
        processes.insert(record.pid)
      }
      return (result, kinds, processes)
    }

    @Test func `the same seed makes the same load`() throws {
      let load = GeneratedLoad(seed: 7, .events(3000))
      let (first, second) = (try run(load), try run(load))
      #expect(first.result == second.result)
      #expect(first.kinds == second.kinds)
      let other = try run(GeneratedLoad(seed: 8, .events(3000)))
      #expect(other.kinds != first.kinds)
    }

    @Test func `the mix is mostly files, and all families are there`() throws {
      let (result, kinds, processes) = try run(GeneratedLoad(seed: 1, .events(10_000)))
      #expect(result.events >= 10_000)
      // What one operation raises at most.
      #expect(result.events < 10_000 + 20)
      #expect(kinds.values.reduce(0, +) == result.events)
      #expect(result.parts.map(\.family) == LoadMix.all.map { $0.name })
      let total = result.parts.reduce(0) { $0 + $1.operations }
      let files = try #require(result.parts.first { $0.family == "file" })
      #expect(files.operations * 100 > total * 85)
      #expect(result.parts.allSatisfy { $0.operations > 0 && $0.failures == 0 })
      for kind in [
        "pre file.open", "post file.open", "pre file.create", "post file.close", "post file.rename",
        "post file.link", "post file.delete", "post file.write", "pre kext.start",
        "post mac.policy_register", "pre net.dns_query", "pre net.connect", "post net.tcp_detach",
        "pre process.fork", "pre process.exec", "pre process.exec_commit", "post process.exec",
        "notify process.exit", "pre dylib.map",
      ] {
        #expect(kinds[kind, default: 0] > 0, "\(kind)")
      }
      #expect(processes.count > 4)
    }

    @Test func `many threads do together what one load asks for`() throws {
      let load = GeneratedLoad(seed: 3, .events(8001), threads: 4)
      let (first, second) = (try run(load), try run(load))
      #expect(first.result.events >= 8001)
      #expect(first.kinds.values.reduce(0, +) == first.result.events)
      #expect(first.result == second.result, "threads do not depend on each other")
    }

    @Test func `as many threads as there may be find room for their children`() throws {
      let (result, kinds, _) = try run(GeneratedLoad(seed: 5, .operations(256 * 40), threads: 256))
      #expect(result.parts.allSatisfy { $0.failures == 0 }, "\(result.parts)")
      #expect(kinds["pre process.fork", default: 0] > 50)
    }

    @Test func `what plugins deny fails, and the load goes on`() throws {
      let denied = ["com.example.load0": Int32(1)]
      let (result, kinds, _) = try run(
        GeneratedLoad(seed: 1, .events(10_000)), Rules(denied: denied))
      let kexts = try #require(result.parts.first { $0.family == "kext" })
      #expect(kexts.failures == kexts.operations)
      #expect(kinds["pre kext.start"] == kexts.operations)
      #expect(result.events >= 10_000)
    }

    @Test func `a kernel without Kemon does the same, and nobody sees it`() throws {
      let ring = EventRing()
      let subscription = try ring.subscribe(named: "test", overflow: .drop)
      let load = GeneratedLoad(seed: 1, .operations(2000), threads: 2)
      let model = try KernelModel(dispatcher: Dispatcher(ring: ring), isHooked: false)
      let result = try model.run(load)
      #expect(drain(subscription).allSatisfy { $0.kind == "kernel.log" })
      #expect(result.parts.allSatisfy { $0.failures == 0 })
      let hooked = try run(load).result
      #expect(hooked.events > 4000)
      #expect(result.parts == hooked.parts)
    }

    @Test func `numbers are those of splitmix64`() {
      var random = LoadRandom(seed: 1_234_567)
      #expect(random.next() == 6_457_827_717_110_365_317)
      #expect(random.next() == 3_203_168_211_198_807_973)
      var counts = [Int](repeating: 0, count: 10)
      for _ in 0..<10_000 { counts[random.below(10)] += 1 }
      #expect(counts.allSatisfy { (800...1200).contains($0) })
      #expect(random.below(1) == 0)
    }
  }
}
