// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

@testable import KemonKernel

extension OneKernel {
  @Suite struct KextStopTests {
    private let driver = kext("driver")

    /// Loads and unloads the driver while a plugin says what it has to say.
    private func unload(
      _ rules: Rules, release: KernelRelease = .macOS10_13_6
    ) throws -> (step: String, runs: [Int], loaded: [String], seen: [Seen]) {
      let ring = EventRing()
      let dispatcher = Dispatcher(ring: ring)
      let subscription = try ring.subscribe(named: "test", overflow: .drop)
      let tokens = dispatcher.add(rules.handlers)
      let model = try KernelModel(release: release, dispatcher: dispatcher)
      let session = try session(driver, release: release.name, load: "[]")
      let (results, loaded, runs) = try model.restarted(with: session.kexts) {
        Lane.current.process = session.process
        defer { Lane.current.process = nil }
        let results = [
          model.kexts.request { $0.request("driver") },
          model.kexts.request { $0.requestRemoval("driver") },
        ]
        let runs = model.kexts.outcomes.first.map(\.runs)
          .map { [$0.start, $0.stop, $0.destructors] }
        return (results, model.kexts.modules.map(\.id), runs)
      }
      try model.close()
      dispatcher.remove(tokens)
      #expect(results[0] == .success)
      return (results[1].description, runs ?? [], loaded, drain(subscription))
    }

    @Test func `a stop is seen before and after`() throws {
      let (step, runs, loaded, seen) = try unload(Rules())
      #expect(step == "0x0" && runs == [1, 1, 1] && loaded.isEmpty)
      let stops = seen.filter { $0.kind == "kext.stop" }
      #expect(stops.map(\.description) == ["pre stop driver 0", "post stop driver 0"])
      #expect(stops[0].path == "/Library/Extensions/driver.kext" && stops[1].path.isEmpty)
      #expect(stops[0].corr == stops[1].corr && stops[0].corr != 0)
      #expect(stops.allSatisfy { $0.version == "1.0" && $0.size == 4096 })
    }

    @Test(arguments: KernelRelease.all)
    func `a denied stop does not run, and the kext stays`(_ release: KernelRelease) throws {
      let rules = Rules(stop: Rules.Answers(denied: ["driver": 16]))
      let (step, runs, loaded, seen) = try unload(rules, release: release)
      #expect(step == "0xdc008017" && runs == [1, 0, 0] && loaded == ["driver"])
      let stops = seen.filter { $0.kind == "kext.stop" }
      #expect(stops.map(\.verdict) == [.deny, .abstain])
      #expect(stops.map(\.status) == [0, 5] && stops.map(\.result) == [0, 16])
      #expect(
        seen.filter { $0.kind == "kernel.log" }.map(\.text) == [
          "Kext driver did not stop (return code 0x5).",
          "Kext driver can't unload - module stop returned 0xdc008017.",
        ])
    }

    @Test func `a replaced status is what the kernel sees`() throws {
      let rules = Rules(stop: Rules.Answers(replaced: ["driver": 7]))
      let (step, runs, loaded, seen) = try unload(rules)
      #expect(step == "0xdc008017" && runs == [1, 1, 0] && loaded == ["driver"])
      #expect(seen.contains { $0.text == "Kext driver did not stop (return code 0x7)." })
    }

    @Test func `a denied stop can be said to have happened`() throws {
      let rules = Rules(
        stop: Rules.Answers(denied: ["driver": 1], replaced: ["driver": 0]))
      let (step, runs, loaded, _) = try unload(rules)
      #expect(step == "0x0" && runs == [1, 0, 1] && loaded.isEmpty)
    }

    @Test func `kernels side by side see their own kexts only`() throws {
      let ring = EventRing()
      let dispatcher = Dispatcher(ring: EventRing())
      let subscription = try ring.subscribe(named: "test", overflow: .drop)
      let watched = try KernelModel(dispatcher: Dispatcher(ring: ring))
      let release = try #require(KernelRelease.named("10.15"))
      let other = try KernelModel(release: release, dispatcher: dispatcher)
      let session = try session(driver, release: release.name, load: #"["driver"]"#)
      #expect(try other.run(session)["driver"]?.isLoaded == true)
      Lane.current.process = session.process
      #expect(other.kexts.request { $0.requestRemoval("driver") } == .success)
      Lane.current.process = nil
      #expect(!drain(subscription).contains { $0.kind.hasPrefix("kext.") })
      try other.close()
      try watched.close()
    }
  }
}
