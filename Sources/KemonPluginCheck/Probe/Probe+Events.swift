// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonEvents
import KemonPluginTesting

/// An event with the handler that it is for.
struct Offer {
  let handler: ProbeHandler
  let record: OwnedRecord

  var text: String {
    let name = record.view.kind.info?.name ?? "kind \(record.view.kind.rawValue)"
    return "handler \"\(handler.name)\" of \(name) \(record.view.phase.name)"
  }
}

extension Probe {
  /// Where an event lies while a handler looks at it.
  enum Placement {
    /// In memory that stays as it is.
    case heap
    /// In pages that cannot be written.
    case readOnly
    /// In pages that are taken away when the handler has returned.
    case retired
  }

  /// Some events for each handler and kind, always the same for a seed.
  ///
  /// - Parameter count: for each.
  func offers(_ count: Int, _ style: EventGenerator.Style = .plain, seed: UInt64? = nil) -> [Offer]
  {
    var generator = EventGenerator(seed: seed ?? subject.seed, words: subject.words())
    return handlers.flatMap { handler in
      handler.kinds.flatMap { kind in
        generator.events(count, of: kind, style, where: handler.takes).map {
          Offer(handler: handler, record: $0)
        }
      }
    }
  }

  /// Calls the handler for an event, and leaves a crumb meanwhile.
  @discardableResult
  func ask(_ offer: Offer, _ placement: Placement = .heap) throws(Finding) -> ProbeAnswer {
    host.time = offer.record.view.event.pointee.time_ns
    switch placement {
    case .heap: return call(offer.handler, offer.record.view.event)
    case .readOnly, .retired:
      let memory = try GuardedMemory(count: offer.record.view.size)
      let event = memory.place(offer.record.view.bytes).assumingMemoryBound(to: kemon_event.self)
      memory.makeReadOnly()
      guard placement == .retired else { return call(offer.handler, event) }
      defer { memory.retire() }
      return try callWithRetiredVerdict(offer.handler, event)
    }
  }

  /// Calls all handlers with all events in order.
  @discardableResult
  func ask(_ offers: [Offer], _ placement: Placement = .heap) throws(Finding) -> [ProbeAnswer] {
    var answers: [ProbeAnswer] = []
    for offer in offers { answers.append(try ask(offer, placement)) }
    return answers
  }

  /// Calls a handler with an event in place.
  func call(_ handler: ProbeHandler, _ event: UnsafePointer<kemon_event>) -> ProbeAnswer {
    ProbeVerdict.with { call(handler, event, $0) }
  }

  /// Calls a handler with an event and a verdict in place.
  func call(
    _ handler: ProbeHandler, _ event: UnsafePointer<kemon_event>,
    _ verdict: UnsafeMutablePointer<kemon_verdict>
  ) -> ProbeAnswer {
    subject.board.enter(handler.name, event)
    defer { subject.board.leave() }
    let status = whileHandling(handler.name) {
      handler.registered.function(handler.registered.context, event, verdict)
    }
    return ProbeAnswer(handler.name, status, verdict)
  }

  /// Calls a handler as a lane does, and looks at nothing.
  static func callOnly(_ offer: Offer) {
    ProbeVerdict.with { verdict in
      _ = offer.handler.registered.function(
        offer.handler.registered.context, offer.record.view.event, verdict)
    }
  }

  private func callWithRetiredVerdict(
    _ handler: ProbeHandler, _ event: UnsafePointer<kemon_event>
  ) throws(Finding) -> ProbeAnswer {
    var preset = ProbeVerdict.preset
    let memory = try GuardedMemory(count: MemoryLayout<kemon_verdict>.size)
    let verdict = withUnsafeBytes(of: &preset) { memory.place($0) }
      .assumingMemoryBound(to: kemon_verdict.self)
    defer { memory.retire() }
    return call(handler, event, verdict)
  }
}
