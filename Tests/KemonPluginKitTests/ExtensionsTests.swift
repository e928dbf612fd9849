// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonPluginKit
import Synchronization
import Testing

@testable import KemonPluginKit

/// Host functions that write down how they were called, and the tables of extensions that hold them.
private enum ScriptedHost {
  static let calls = Mutex<[String]>([])
  static let armed = Mutex<(call: kemon_timer_fn, context: UInt)?>(nil)
  static let kind: UInt16 = UInt16(KEMON_KIND_LIMIT) - 2

  static func note(_ call: String) { calls.withLock { $0.append(call) } }

  static func take() -> [String] {
    calls.withLock { calls in
      defer { calls = [] }
      return calls
    }
  }

  // Made once, never freed and never changed.
  nonisolated(unsafe) static let cells = UnsafeMutablePointer<kemon_cell>.allocate(
    capacity: Int(KEMON_LANES))

  nonisolated(unsafe) private static let tables: [String: UnsafeRawPointer] = [
    KEMON_EXT_SCHEMA: keep(schema), KEMON_EXT_METRICS: keep(metrics), KEMON_EXT_TIMER: keep(timers),
    KEMON_EXT_DEFER: keep(deferral), KEMON_EXT_MODIFY: keep(modification),
  ]

  nonisolated(unsafe) private static let table: UnsafePointer<kemon_host> = {
    var table = kemon_host()
    table.size = UInt32(MemoryLayout<kemon_host>.size)
    table.ext = { _, id in id.flatMap { ScriptedHost.tables[String(cString: $0)] } }
    return keep(table).assumingMemoryBound(to: kemon_host.self)
  }()

  static var host: Host { Host(table) }

  private static func keep<Table>(_ table: Table) -> UnsafeRawPointer {
    let pointer = UnsafeMutablePointer<Table>.allocate(capacity: 1)
    pointer.initialize(to: table)
    return UnsafeRawPointer(pointer)
  }

  private static var schema: kemon_ext_schema {
    kemon_ext_schema(
      size: UInt32(MemoryLayout<kemon_ext_schema>.size), reserved: 0,
      kind: { _, name, phase, out in
        guard let name, String(cString: name) == "kit.test", phase == 3 else {
          return KEMON_E_NOTFOUND
        }
        out?.pointee = ScriptedHost.kind
        return KEMON_OK
      },
      info: { _, kind in
        guard kind == ScriptedHost.kind else { return nil }
        return ScriptedHost.keep(
          kemon_kind_info(
            kind: kind, phase: 3, family: 7, can_deny: 0, reserved: (0, 0, 0), payload_size: 8,
            payload: .max, name: UnsafePointer(strdup("kit.test")),
            constant: UnsafePointer(strdup("")))
        ).assumingMemoryBound(to: kemon_kind_info.self)
      },
      fields: { _, _, count in
        count?.pointee = 1
        return ScriptedHost.keep(
          kemon_field_info(
            name: UnsafePointer(strdup("score")), type: UnsafePointer(strdup("u32")),
            doc: UnsafePointer(strdup("how bad")), offset: 0, width: 4)
        ).assumingMemoryBound(to: kemon_field_info.self)
      },
      field: { _, kind, name, out in
        guard let out, let name, String(cString: name) == "score",
          Int(out.pointee.size) == MemoryLayout<kemon_field>.size
        else { return KEMON_E_NOTFOUND }
        out.pointee.kind = kind
        out.pointee.type = UInt16(KEMON_FIELD_U32)
        out.pointee.offset = 0
        out.pointee.width = 4
        return KEMON_OK
      },
      json: { _, _ in nil },
      declare: { _, json, out, error in
        guard let json, String(cString: json) == "{}" else {
          return kemon_fail(error, KEMON_E_INVALID, "not this")
        }
        out?.pointee = ScriptedHost.kind
        return KEMON_OK
      },
      emit: { _, kind, about, values, count in
        let texts = UnsafeBufferPointer(start: values, count: Int(count))
          .map { value in
            value.bytes.map { bytes in
              String(
                decoding: UnsafeRawBufferPointer(start: bytes, count: Int(value.len)), as: UTF8.self
              )
            } ?? "\(Int64(bitPattern: value.number))"
          }
        ScriptedHost.note(
          "emit \(kind) about \(about?.pointee.corr ?? 0): \(texts.joined(separator: "|"))")
        return texts.first == "full" ? KEMON_E_FULL : texts.isEmpty ? KEMON_E_DENIED : KEMON_OK
      })
  }

  private static var metrics: kemon_ext_metrics {
    kemon_ext_metrics(
      size: UInt32(MemoryLayout<kemon_ext_metrics>.size), reserved: 0,
      counter: { _, name, _, unit, cells in
        guard let name, let unit, String(cString: name) != "bad" else { return KEMON_E_INVALID }
        ScriptedHost.note("counter \(String(cString: name)) in \(String(cString: unit))")
        cells?.pointee = ScriptedHost.cells
        return KEMON_OK
      },
      histogram: { _, _, _, _, id in
        id?.pointee = 9
        return KEMON_OK
      },
      record: { _, id, value in ScriptedHost.note("record \(value) in \(id)") }, lane: { _ in 3 })
  }

  private static var timers: kemon_ext_timer {
    kemon_ext_timer(
      size: UInt32(MemoryLayout<kemon_ext_timer>.size), reserved: 0,
      arm: { _, delay, period, call, context, id in
        guard let call, delay != 99 else { return KEMON_E_FULL }
        let address = UInt(bitPattern: context)
        ScriptedHost.armed.withLock { $0 = (call, address) }
        ScriptedHost.note("arm \(delay) \(period)")
        id?.pointee = 5
        return KEMON_OK
      },
      cancel: { _, id in
        ScriptedHost.note("cancel \(id)")
        return KEMON_OK
      })
  }

  private static var deferral: kemon_ext_defer {
    kemon_ext_defer(
      size: UInt32(MemoryLayout<kemon_ext_defer>.size), reserved: 0,
      open: { _, _, timeout, onTimeout, _, _, ticket in
        ScriptedHost.note("open \(timeout) \(onTimeout)")
        ticket?.pointee = 77
        return timeout == 0 ? KEMON_E_INVALID : KEMON_OK
      },
      resolve: { _, ticket, verdict in
        ScriptedHost.note("resolve \(ticket) with \(verdict?.pointee.action ?? 99)")
        return verdict?.pointee.action == UInt16(KEMON_DENY) ? KEMON_E_EXPIRED : KEMON_OK
      }, retain: { _, event in event }, release: { _, _ in ScriptedHost.note("release") })
  }

  private static var modification: kemon_ext_modify {
    kemon_ext_modify(
      size: UInt32(MemoryLayout<kemon_ext_modify>.size), reserved: 0,
      set_u64: { _, verdict, field, value in
        guard let verdict, let field, value != .max else { return KEMON_E_DENIED }
        verdict.pointee.action = UInt16(KEMON_MODIFY)
        verdict.pointee.flags =
          UInt16(KEMON_V_PATCH) | UInt16(field.pointee.index) << UInt16(KEMON_V_PATCH_SHIFT)
        verdict.pointee.result = Int64(bitPattern: value)
        return KEMON_OK
      })
  }
}

@Suite(.serialized) struct ExtensionsTests {
  private let host = ScriptedHost.host

  init() { _ = ScriptedHost.take() }

  @Test func `kinds are found, declared and emitted`() throws {
    let schema = try #require(host.schema)
    let kind = try #require(schema.kind("kit.test", .notify))
    #expect(kind.rawValue == ScriptedHost.kind)
    #expect(schema.kind("kit.test", .pre) == nil)
    #expect(schema.kind("other", .notify) == nil)
    #expect(try schema.declare("{}") == kind)
    let refusal = #expect(throws: HostRefusal.self) { try schema.declare("[]") }
    #expect(refusal?.description == "declare: not this")

    let info = try #require(schema.info(kind))
    #expect(info.name == "kit.test")
    #expect(info.fields.map(\.name) == ["score"])
    #expect(kind.info?.name == "kit.test", "the kit knows it from now on")

    var builder = RecordBuilder()
    builder.begin(kind)
    builder.setPayload(UInt64(42))
    builder.header.pointee.corr = 6
    let event = builder.seal()
    let field = try #require(schema.field(kind, "score"))
    #expect(field.number(in: event) == 42)
    #expect(field.text(in: event).isEmpty)
    #expect(schema.field(kind, "other") == nil)

    #expect(try schema.emit(kind, about: event, [.number(-1), .text("ä"), .absent, .bytes([65])]))
    #expect(try !schema.emit(kind, [.text("full")]))
    #expect(throws: HostRefusal.self) { try schema.emit(kind, []) }
    #expect(
      ScriptedHost.take() == [
        "emit \(kind.rawValue) about 6: -1|ä|0|A", "emit \(kind.rawValue) about 0: full",
        "emit \(kind.rawValue) about 0: ",
      ])
  }

  @Test func `numbers are counted in the cell of the thread`() throws {
    let metrics = try #require(host.metrics)
    ScriptedHost.cells.update(repeating: kemon_cell(), count: Int(KEMON_LANES))
    let counter = try metrics.counter("opens", "opened files", unit: "files")
    counter.add()
    counter.add(4)
    #expect(ScriptedHost.cells[3].value == 5)
    try metrics.histogram("lengths").record(12)
    #expect(ScriptedHost.take() == ["counter opens in files", "record 12 in 9"])
    let refusal = #expect(throws: HostRefusal.self) { try metrics.counter("bad") }
    #expect(refusal?.status == KEMON_E_INVALID)
  }

  @Test func `a timer calls its closure, and is cancelled when it goes`() throws {
    let timers = try #require(host.timers)
    let seen = Mutex<[UInt64]>([])
    do {
      let timer = try timers.arm(after: 10, every: 2_000_000) { now in
        seen.withLock { $0.append(now) }
      }
      let armed = try #require(ScriptedHost.armed.withLock { $0 })
      armed.call(UnsafeMutableRawPointer(bitPattern: armed.context), 123)
      withExtendedLifetime(timer) {}
    }
    #expect(seen.withLock { $0 } == [123])
    #expect(ScriptedHost.take() == ["arm 10 2000000", "cancel 5"])
    #expect(throws: HostRefusal.self) { _ = try timers.arm(after: 99) { _ in } }
  }

  @Test func `a vote comes later, once`() throws {
    let deferral = try #require(host.deferral)
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
    let event = builder.seal()
    let ticket = try deferral.open(event, timeout: 5, onTimeout: .deny)
    var verdict = kemon_blank_verdict()
    ticket.vote.write(to: &verdict)
    #expect(verdict.action == UInt16(KEMON_DEFER))
    #expect(verdict.result == 77)
    #expect(ticket.resolve(.allow))
    #expect(!ticket.resolve(.deny("late")))
    #expect(throws: HostRefusal.self) { try deferral.open(event, timeout: 0, onTimeout: .allow) }
    var retained = deferral.retain(event)
    #expect(retained?.event.kind == event.kind)
    retained = nil
    #expect(
      ScriptedHost.take() == [
        "open 5 2", "resolve 77 with 1", "resolve 77 with 4", "open 0 1", "release",
      ])
  }

  @Test func `a vote changes a field`() throws {
    let modification = try #require(host.modification)
    let schema = try #require(host.schema)
    let field = try #require(schema.field(EventKind(KEMON_KIND_FILE_CREATE_PRE), "score"))
    var verdict = kemon_blank_verdict()
    try modification.vote(field, 384).write(to: &verdict)
    #expect(verdict.action == UInt16(KEMON_MODIFY))
    #expect(verdict.flags & UInt16(KEMON_V_PATCH) != 0)
    #expect(verdict.result == 384)
    #expect(throws: HostRefusal.self) { try modification.vote(field, -1) }
  }
}
