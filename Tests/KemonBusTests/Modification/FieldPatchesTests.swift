// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

@testable import KemonBus

// Unchecked: counters are atomics, everything else is constant.
/// A handler that changes the mode of files that are created.
private final class Modifier: @unchecked Sendable {
  let mode: UInt32
  let denyAgain: Bool
  let field: ModifiableFields
  let first = Counter()
  let again = Counter()

  init(_ mode: UInt32, _ field: String = "file.create.mode", denyAgain: Bool = false) {
    self.field = ModifiableFields(named: field) ?? []
    self.mode = mode
    self.denyAgain = denyAgain
  }

  static let function: kemon_handler_fn = { context, event, verdict in
    guard let context, let event, let verdict else { return -1 }
    let modifier = Unmanaged<Modifier>.fromOpaque(context).takeUnretainedValue()
    if event.pointee.flags & UInt16(KEMON_EV_REVALIDATE) != 0 {
      modifier.again.add(1)
      if modifier.denyAgain { return kemon_deny(verdict, 13, "not that") }
    } else {
      modifier.first.add(1)
    }
    guard modifier.mode != 0 else { return 0 }
    verdict.pointee.action = UInt16(KEMON_MODIFY)
    verdict.pointee.flags = modifier.field.patchFlags
    verdict.pointee.result = Int64(modifier.mode)
    return 0
  }

  func handler(_ priority: Int32 = 0, _ pluginID: UInt32 = 1) -> KemonBus.Handler {
    var handler = Handler(
      name: "modifier", pluginID: pluginID, pluginName: "modifier",
      kinds: [EventKind(KEMON_KIND_FILE_CREATE_PRE)], priority: priority,
      function: Self.function, context: Unmanaged.passUnretained(self).toOpaque())
    handler.modifiable = field
    handler.owner = self
    return handler
  }
}

@Suite struct FieldPatchesTests {
  private func create(
    _ handlers: [KemonBus.Handler]
  ) -> (verdict: Verdict, mode: UInt32?, votes: Int, flags: UInt16, dispatcher: Dispatcher) {
    let dispatcher = Dispatcher(ring: EventRing(slots: 16))
    dispatcher.add(handlers)
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_FILE_CREATE_PRE))
    builder.setPayload(
      kemon_file(dev: 0, ino: 0, flags: 0, mode: 0o644, path: builder.text("/tmp/x")))
    let verdict = dispatcher.dispatch(&builder)
    let record = builder.view
    return (
      verdict, record.payload(as: kemon_file.self)?.mode, record.voteCount,
      record.event.pointee.flags, dispatcher
    )
  }

  @Test func `a change is in the record, and all are asked again about it`() {
    let (modifier, other) = (Modifier(0o600), Modifier(0))
    let result = create([modifier.handler(), other.handler(5, 2)])
    #expect(result.verdict.action == .modify)
    #expect(result.verdict.isPatched)
    #expect(result.mode == 0o600)
    #expect(result.flags & UInt16(KEMON_EV_REVALIDATE) != 0)
    #expect(result.votes == 4, "both rounds")
    #expect([modifier.first.value, modifier.again.value] == [1, 1])
    #expect([other.first.value, other.again.value] == [1, 1])
    #expect(result.dispatcher.handlerStatistics().map(\.calls) == [2, 2])
  }

  @Test func `who does not like the change can deny it`() {
    let (modifier, other) = (Modifier(0o600), Modifier(0, denyAgain: true))
    let result = create([modifier.handler(), other.handler(5, 2)])
    #expect(result.verdict.isDenied)
    #expect(result.verdict.error == 13)
  }

  @Test func `two that are equals and want different things are a conflict`() {
    let result = create([Modifier(0o600).handler(0, 1), Modifier(0o640).handler(0, 2)])
    #expect(result.verdict.isDenied)
    #expect(result.verdict.reasonCode == UInt32(bitPattern: KEMON_E_CONFLICT))
    #expect(result.verdict.decidedBy == 0)
    #expect(result.mode == 0o644)
  }

  @Test func `the same wish twice is none, and the lower priority wins`() {
    let same = create([Modifier(0o600).handler(0, 1), Modifier(0o600).handler(0, 2)])
    #expect(same.mode == 0o600)
    #expect(!same.verdict.isDenied)
    for order in [[3, 1, 2], [1, 2, 3], [2, 3, 1]] as [[Int32]] {
      let handlers = order.map { Modifier(0o600 + UInt32($0)).handler($0, UInt32($0)) }
      #expect(create(handlers).mode == 0o601)
    }
  }

  @Test func `a value that is there already changes nothing`() {
    let result = create([Modifier(0o644).handler()])
    #expect(!result.verdict.isPatched)
    #expect(result.votes == 1)
    #expect(result.flags & UInt16(KEMON_EV_REVALIDATE) == 0)
  }

  @Test func `a change that was not granted is a fault`() {
    let modifier = Modifier(0o600)
    var handler = modifier.handler()
    handler.modifiable = ModifiableFields(named: "file.create.flags") ?? []
    let result = create([handler])
    #expect(result.verdict.action == .abstain)
    #expect(result.mode == 0o644)
    #expect(result.dispatcher.handlerStatistics().map(\.faults) == [1])
    var shadow = modifier.handler()
    shadow.tier = .observe
    #expect(create([shadow]).mode == 0o644)
  }

  @Test func `a change that is meant for another kind is a fault`() {
    let modifier = Modifier(0o600, "net.connect.destination_port")
    let result = create([modifier.handler()])
    #expect(result.mode == 0o644)
    #expect(result.dispatcher.handlerStatistics().map(\.faults) == [1])
  }

  @Test func `fields are found by their names`() {
    #expect(
      ModifiableFields.names == [
        "file.open.flags", "file.create.flags", "file.create.mode", "file.write.flags",
        "net.connect.destination_port",
      ])
    #expect(ModifiableFields(named: "file.create.path") == nil)
    #expect(ModifiableFields(named: "file.create.mode")?.rawValue.nonzeroBitCount == 1)
  }
}
