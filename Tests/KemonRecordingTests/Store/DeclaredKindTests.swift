// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonRecording

@Suite struct DeclaredKindTests {
  /// A record, kept for the rest of the run: its views outlive the statement that asks for it.
  private func record(of kind: EventKind, score: UInt32) -> KeptRecord {
    var builder = RecordBuilder()
    builder.begin(kind)
    builder.setPayload(UInt64(score))
    builder.seal()
    let place = UnsafeMutablePointer<RecordBuilder>.allocate(capacity: 1)
    place.initialize(to: builder)
    return KeptRecord(place: place)
  }

  private struct KeptRecord {
    let place: UnsafeMutablePointer<RecordBuilder>
    var view: RecordView { place.pointee.view }
    var header: UnsafeMutablePointer<kemon_event> { place.pointee.header }
  }

  private func declare(_ name: String) throws -> EventKind {
    try EventKind.declare(
      KindDeclaration(name: name, fields: [.init(name: "score", type: .u32)]))
  }

  @Test func `a recording knows the kinds that were declared`() throws {
    let kind = try declare("recorded.kind")
    let folder = try ScratchFolder()
    let path = folder.file("x.kemon")
    let writer = try RecordingWriter(creating: path)
    try writer.append(record(of: kind, score: 7).view)
    try writer.append(record(of: kind, score: 8).view)
    try writer.close()
    let reader = try RecordingReader(opening: path)
    #expect(reader.kinds.fieldCounts == [kind: 1])
    #expect(reader.kinds.isIdentity)
    let (records, outcome) = reader.loadAll()
    #expect(outcome.isComplete)
    #expect(records.count == 2)
    #expect(records[1].kind == kind)
    let field = try #require(kind.info?.fields.first)
    #expect(records[1].integer(field) == 8)
    let more = try RecordingWriter(appendingTo: path)
    try more.append(record(of: kind, score: 9).view)
    try more.close()
    #expect(try RecordingReader(opening: path).loadAll().records.count == 3)
  }

  @Test func `a kind that grows while it is recorded is known with all its fields`() throws {
    let kind = try declare("growing.kind")
    let folder = try ScratchFolder()
    let path = folder.file("x.kemon")
    let writer = try RecordingWriter(creating: path)
    try writer.append(record(of: kind, score: 7).view)
    try writer.commit()
    let grown = try KindDeclaration(
      name: "growing.kind",
      fields: [.init(name: "score", type: .u32), .init(name: "more", type: .u32)])
    #expect(try EventKind.declare(grown) == kind)
    try writer.append(record(of: kind, score: 8).view)
    try writer.close()
    let reader = try RecordingReader(opening: path)
    #expect(reader.kinds.fieldCounts == [kind: 2])
    #expect(reader.loadAll().records.count == 2)
  }

  @Test func `a kind without fields is known, too`() throws {
    let kind = try EventKind.declare(KindDeclaration(name: "bare.kind", fields: []))
    var builder = RecordBuilder()
    builder.begin(kind)
    builder.seal()
    let folder = try ScratchFolder()
    let path = folder.file("x.kemon")
    let writer = try RecordingWriter(creating: path)
    try writer.append(builder.view)
    try writer.close()
    let reader = try RecordingReader(opening: path)
    #expect(reader.kinds.fieldCounts == [kind: 0])
    #expect(reader.loadAll().records.count == 1)
  }

  @Test func `a declaration that contradicts one of this run says why its records mean nothing`()
    throws
  {
    let kind = try declare("contradicted.kind")
    let number = UInt16(KEMON_KIND_LIMIT) - 2
    let foreign = record(of: kind, score: 1)
    foreign.header.pointee.kind = number
    var buffer = RecordBuffer()
    let error = #expect(throws: KemonEvents.RecordError.self) {
      try buffer.append(
        validating: foreign.view.bytes, DeclaredKindMap([number: "contradicted.kind\nstr score "]))
    }
    #expect("\(try #require(error))".contains("contradicted.kind is declared already"))
  }

  @Test func `a kind that has another number in the recording is found by its name`() throws {
    let kind = try declare("renumbered.kind")
    let elsewhere: UInt16 = UInt16(KEMON_KIND_LIMIT) - 1
    let original = record(of: kind, score: 5)
    original.header.pointee.kind = elsewhere
    var buffer = RecordBuffer()
    try buffer.append(
      validating: original.view.bytes, DeclaredKindMap([elsewhere: "renumbered.kind\nu32 score "]))
    #expect(buffer[0].kind == kind)
    #expect(throws: KemonEvents.RecordError.self, "whatever has this number here") {
      try buffer.append(
        validating: record(of: kind, score: 1).view.bytes, DeclaredKindMap([:]))
    }
    #expect(DeclaredKindMap([3: "a.b", elsewhere: "no declaration"]).fieldCounts.isEmpty)
    #expect(!DeclaredKindMap([elsewhere: "renumbered.kind"]).isIdentity)
  }

  @Test func `what a plugin emits anew is not played again`() throws {
    let kind = try declare("anew.kind")
    let records = RecordArena(copying: [record(of: kind, score: 1).view])
    let dispatcher = Dispatcher(ring: EventRing(slots: 16))
    #expect(Player().play(records, into: dispatcher).events == 1)
    dispatcher.emissions.setMade(kind, true)
    let outcome = Player().play(records, into: dispatcher)
    #expect(outcome.events == 0)
    #expect(outcome.leftOut == 1)
    dispatcher.emissions.setMade(kind, false)
    #expect(Player().play(records, into: dispatcher).events == 1)
  }
}
