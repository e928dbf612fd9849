// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonTestSupport
import Testing

@Suite struct RecordViewTests {
  @Test(arguments: EventKind.allKinds)
  func `every field of every kind is read back by its description`(kind: EventKind) throws {
    var builder = RecordBuilder()
    makeSample(kind, &builder)
    let record = try RecordView(validating: builder.view.bytes)
    #expect(record.kind == kind)
    for (index, field) in try #require(kind.info).fields.enumerated()
    where field.name != "reserved" {
      switch field.type {
      case .str, .bytes: #expect(record.text(record.string(field)) == "\(field.name) \(index)")
      case .list: #expect(record.list(record.string(field)) == ["first", "\(field.name) \(index)"])
      case .u16: #expect(record.integer(field) == Int64(0x0100 + index))
      case .u32, .i32: #expect(record.integer(field) == Int64(0x0001_0000 + index))
      case .u64, .i64, .addr:
        #expect(record.integer(field) == Int64(0x0001_0000_0000) + Int64(index))
      }
    }
  }

  @Test func `a typed view reads numbers and texts by name`() throws {
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
    let path = builder.text("/etc/hosts")
    builder.setPayload(kemon_file(dev: 1, ino: 2, flags: 3, mode: 0o644, path: path))
    builder.seal()
    let file = try #require(builder.view.view(of: kemon_file.self))
    #expect(file.ino == 2)
    #expect(file.path.starts(with: "/etc/"))
    #expect(file.path == "/etc/hosts")
    #expect(!(file.path == "/etc/host"))
  }

  @Test func `every cut of a record is refused`() {
    var builder = RecordBuilder()
    makeSample(EventKind(KEMON_KIND_PROCESS_EXEC), &builder)
    let bytes = builder.view.bytes
    for length in 0..<bytes.count {
      #expect(throws: RecordError.self) {
        try RecordView(validating: UnsafeRawBufferPointer(rebasing: bytes[..<length]))
      }
    }
  }

  @Test func `a record at an odd address is refused`() {
    var builder = RecordBuilder()
    makeSample(EventKind(KEMON_KIND_FILE_OPEN), &builder)
    let copy = UnsafeMutableRawBufferPointer.allocate(
      byteCount: builder.view.size + 8, alignment: 8)
    defer { copy.deallocate() }
    UnsafeMutableRawBufferPointer(rebasing: copy[4..<4 + builder.view.size])
      .copyMemory(from: builder.view.bytes)
    #expect(throws: RecordError.self) {
      try RecordView(validating: UnsafeRawBufferPointer(rebasing: copy[4...]))
    }
  }

  /// The record lies at the very end of a mapping, so that reading past its end would be seen.
  @Test func `a hostile record is never read past its end`() throws {
    var random = SeededRandom(seed: 20_180_808)
    var accepted = 0
    for kind in EventKind.allKinds {
      var builder = RecordBuilder()
      makeSample(kind, &builder)
      let size = builder.view.size
      let guarded = GuardedBytes(count: size)
      for _ in 0..<400 {
        guarded.bytes.copyMemory(from: builder.view.bytes)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          // Headers and payloads are worth more damage than texts.
          let offset = Int.random(in: 0..<min(size, 220), using: &random)
          guarded.bytes[offset] = UInt8.random(in: 0...255, using: &random)
        }
        guard let record = try? RecordView(validating: UnsafeRawBufferPointer(guarded.bytes))
        else { continue }
        accepted += 1
        touchEverything(record)
      }
    }
    #expect(accepted > 0)
  }

  private func touchEverything(_ record: RecordView) {
    for field in record.kind.info?.fields ?? [] {
      _ = record.integer(field)
      _ = record.list(record.string(field))
    }
    for string in [record.subject.exe, record.subject.comm, record.subject.parent] {
      _ = record.text(string)
    }
    for index in 0..<record.voteCount { _ = record.text(record.vote(index).reason) }
  }
}
