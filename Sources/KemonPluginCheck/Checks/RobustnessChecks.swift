// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonPluginTesting
import Synchronization

/// Events that are rare, and allowed.
enum RobustnessChecks {
  static let all = [payload, strings, kinds, fuzz, lanes]

  static let payload = Check(
    "robustness.payload", "events of a producer that knows fewer fields are survived",
    needs: ["contract.events"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    for offer in probe.offers(1) {
      let full = Int(offer.record.header.pointee.payload_size)
      for size in stride(from: 0, to: full, by: 8) {
        // What is cut off is not there: nothing of it can be read by accident.
        let offset = Int(offer.record.header.pointee.payload_off)
        let cut = OwnedRecord(Int(offer.record.view.kind.rawValue)) { builder in
          builder.begin(copying: offer.record.view)
          builder.header.pointee.payload_size = UInt32(size)
          let rest = UnsafeMutableRawPointer(builder.header) + offset + size
          rest.initializeMemory(as: UInt8.self, repeating: 0xAA, count: full - size)
        }
        try probe.ask(Offer(handler: offer.handler, record: cut))
      }
    }
    return nil
  }

  static let strings = Check(
    "robustness.strings", "absent, empty, very long and broken texts are survived",
    needs: ["robustness.payload"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    try probe.ask(probe.offers(200, .texts))
    return nil
  }

  static let kinds = Check(
    "robustness.kinds", "kinds that came later are survived by who takes all",
    needs: ["contract.events"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    let open = probe.handlers.filter { $0.isOpen && !$0.kinds.isEmpty }
    guard !open.isEmpty else { throw .skipped("no handler takes kinds by a pattern") }
    for handler in open {
      for number in [UInt16(KEMON_KIND_LIMIT) - 1, UInt16(KEMON_KIND_LIMIT) - 2, 0x1F0] {
        let record = OwnedRecord(Int(KEMON_KIND_KERNEL_LOG)) { builder in
          builder.header.pointee.kind = number
        }
        try probe.ask(Offer(handler: handler, record: record))
      }
    }
    return nil
  }

  /// Events for each handler and kind.
  private static let fuzzCount = 300

  static let fuzz = Check(
    "robustness.fuzz", "whatever an event says, its handler returns",
    needs: ["robustness.strings"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    let offers = probe.offers(fuzzCount, .wild, seed: subject.seed &+ 1)
    try probe.ask(offers)
    return "\(offers.count) events, seed \(subject.seed)"
  }

  static let lanes = Check(
    "robustness.lanes", "two lanes may be in the handlers at the same time",
    needs: ["contract.events"]
  ) { subject throws(Finding) in
    let probe = try subject.run()
    defer { probe.end() }
    guard probe.plugin.concurrency != UInt32(KEMON_CONC_SERIAL) else {
      throw .skipped("the plugin asks for one lane at a time")
    }
    let rounds = LaneRounds(probe.offers(4).filter { !$0.handler.isObserver }, lanes: 2)
    let threads = (0..<2).map { _ in WorkerThread(named: "lane") { rounds.run() } }
    for thread in threads { thread.join() }
    return nil
  }
}

// Unchecked: the records are not changed while threads read them; the handlers are what is tried.
/// Events that several threads offer at the same time.
private final class LaneRounds: @unchecked Sendable {
  private let offers: [Offer]
  private let lanes: Int
  private let present = Atomic<Int>(0)

  init(_ offers: [Offer], lanes: Int) {
    self.offers = offers
    self.lanes = lanes
  }

  /// Waits for the other lanes, and offers the events again and again for a while.
  func run() {
    present.add(1, ordering: .relaxed)
    while present.load(ordering: .relaxed) < lanes { sched_yield() }
    let end = EventClock.monotonic() + 30_000_000
    while !offers.isEmpty, EventClock.monotonic() < end {
      for offer in offers { Probe.callOnly(offer) }
    }
  }
}
