// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@Suite struct RecordBuilderTests {
  @Test func `a text that does not fit is cut and flagged`() throws {
    var builder = RecordBuilder(capacity: 1024)
    builder.begin(EventKind(KEMON_KIND_FILE_OPEN))
    let path = builder.text(String(repeating: "x", count: 5000))
    builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: path))
    builder.seal()
    let record = try RecordView(validating: builder.view.bytes)
    #expect(record.isTruncated)
    #expect(record.size <= 1024)
    #expect(record.view(of: kemon_file.self)?.path.bytes.count ?? 0 > 700)
  }

  @Test func `an absent text is not an empty one`() throws {
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_FILE_OPEN))
    #expect(builder.text(String?.none).off == 0)
    #expect(builder.text("").off != 0)
    builder.seal()
    #expect(!(try RecordView(validating: builder.view.bytes)).isTruncated)
  }

  @Test func `votes and their reasons are kept in the record`() throws {
    var builder = RecordBuilder()
    makeSample(EventKind(KEMON_KIND_KEXT_START_PRE), &builder)
    appendVotes(2, &builder)
    let record = try RecordView(validating: builder.view.bytes)
    #expect(record.voteCount == 2)
    #expect(record.vote(0).plugin_id == 1)
    #expect(record.text(record.vote(0).reason) == "because 0")
    #expect(record.vote(1).reason.off == 0)
  }

  @Test func `a replayed copy drops votes and decision and stays the same from then on`() throws {
    var builder = RecordBuilder()
    makeSample(EventKind(KEMON_KIND_KEXT_START_PRE), &builder)
    let plain = Array(builder.view.bytes)
    appendVotes(3, &builder)
    builder.header.pointee.verdict = UInt16(KEMON_DENY)
    var copy = RecordBuilder()
    copy.begin(copying: builder.view)
    copy.seal()
    #expect(copy.view.size == plain.count)
    #expect(copy.view.voteCount == 0)
    #expect(copy.view.verdict == .abstain)
    var again = RecordBuilder()
    again.begin(copying: copy.view)
    again.seal()
    #expect(Array(again.view.bytes) == Array(copy.view.bytes))
  }

  @Test func `sealing twice changes nothing`() {
    var builder = RecordBuilder()
    makeSample(EventKind(KEMON_KIND_FILE_OPEN), &builder)
    let size = builder.view.size
    builder.seal()
    #expect(builder.view.size == size)
  }

  private func appendVotes(_ count: Int, _ builder: inout RecordBuilder) {
    let votes = (0..<count)
      .map { index in
        kemon_vote(
          plugin_id: UInt32(index + 1), handler_id: 5, action: UInt16(KEMON_DENY),
          tier: UInt16(KEMON_TIER_ENFORCE), err: 13, reason_code: 0, latency_ns: 0,
          reason: kemon_str())
      }
    votes.withUnsafeBufferPointer { votes in
      "because 0".withCString { reason in
        builder.append(votes: votes) { $0 == 0 ? reason : nil }
      }
    }
  }
}
