// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import Synchronization
import Testing

@testable import KemonKernel

extension OneKernel {
  /// Everything at once: all families on eight threads, plugins that come and go, readers of all kinds.
  ///
  /// KEMON_STRESS_SECONDS says how long; `make stress-model` sets it.
  @Suite struct LoadStressTests {
    private static let seconds =
      getenv("KEMON_STRESS_SECONDS").flatMap { Double(String(cString: $0)) } ?? 1

    @Test func `eight threads drive all families while plugins come, go and are replaced`() throws {
      let ring = EventRing()
      let dispatcher = Dispatcher(ring: ring)
      let counts = StressCounts()
      let readers = try StressReaders(ring)
      let model = try KernelModel(dispatcher: dispatcher)
      let truth = try StressTruth()
      let standing = dispatcher.add([counts.handler])
      let change = StressChange(model, dispatcher)

      var events = 0
      var rounds = 0
      var failures = 0
      var forgotten = 0
      var kexts = (started: 0, stopped: 0)
      let accounts = try readers.read {
        try change.run {
          let end = ContinuousClock.now + .seconds(Self.seconds)
          repeat {
            rounds += 1
            let result = try model.run(
              GeneratedLoad(seed: UInt64(rounds), .operations(10_000), threads: 8))
            events += result.events
            failures += result.parts.reduce(0) { $0 + $1.failures }
            for outcome in model.kexts.outcomes {
              kexts.started += outcome.runs.start
              kexts.stopped += outcome.runs.stop
            }
            let loaded = model.mac.counters.loaded
            #expect(
              counts.done(KEMON_KIND_MAC_POLICY_REGISTER)
                - counts.done(KEMON_KIND_MAC_POLICY_UNREGISTER) == forgotten + loaded)
            // The next round starts the machine anew.
            forgotten += loaded
          } while ContinuousClock.now < end
        }
      }
      try truth.close()
      try model.close()
      dispatcher.remove(standing)
      if getenv("KEMON_STRESS_SECONDS") != nil {
        print(
          "\(rounds) rounds, \(events) events, \(failures) operations that failed, "
            + "\(change.count) changes of plugins, \(accounts.visits) visits; "
            + "slow reader: \(accounts.slow)")
      }
      #expect(change.count > 0 && failures > 0)

      // Nothing disappears between the kernel and whoever reads.
      #expect(ring.published == UInt64(events))
      #expect(counts.total == events)
      #expect(accounts.patient.produced == UInt64(events))
      #expect(accounts.patient.delivered == UInt64(events) && accounts.patient.lost == 0)
      #expect(accounts.slow.isBalanced && accounts.slow.produced == UInt64(events))
      #expect(accounts.slow.pending == 0)
      #expect(accounts.visits > 0 && accounts.unbalanced == 0)

      // What was told as done is what was done, whatever was denied or replaced.
      #expect(
        counts.done(
          KEMON_KIND_FILE_OPEN, KEMON_KIND_FILE_CREATE, KEMON_KIND_FILE_WRITE,
          KEMON_KIND_DEVICE_OPEN) == truth.count(.open))
      #expect(counts.done(KEMON_KIND_FILE_CLOSE) == truth.count(.close))
      #expect(counts.done(KEMON_KIND_FILE_RENAME) == truth.count(.rename))
      #expect(counts.done(KEMON_KIND_FILE_DELETE) == truth.count(.remove))
      #expect(counts.done(KEMON_KIND_FILE_LINK) == truth.count(.link))
      #expect(
        counts.done(KEMON_KIND_NET_TCP_DETACH, KEMON_KIND_NET_UDP_DETACH) == truth.count(.socket))
      #expect(counts.done(KEMON_KIND_KEXT_START) == kexts.started)
      #expect(counts.done(KEMON_KIND_KEXT_STOP) == kexts.stopped)

      // A post for every pre.
      for kind in EventKind.allKinds where kind.info?.phase == .pre {
        guard let info = kind.info, let post = EventKind.named(info.name, phase: .post) else {
          continue
        }
        #expect(counts.all(kind) == counts.all(post), "\(info.name)")
      }
    }
  }
}
