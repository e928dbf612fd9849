// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

@testable import KemonBus

@Suite struct MuteSetTests {
  private func mutes(_ set: MuteSet, pid: Int32 = 1, start: UInt64 = 0, _ path: String = "/x")
    -> Bool
  {
    var builder = RecordBuilder()
    makeOpen(path, pid: pid, &builder)
    builder.header.pointee.subject.start_ns = start
    return set.mutes(builder.view)
  }

  @Test func `processes are muted up to a limit, taken out, and muted again`() {
    let set = MuteSet()
    for pid in 1...Int32(MuteSet.subjectLimit) { #expect(set.add(pid: pid, start: 7)) }
    #expect(!set.add(pid: 1000, start: 7))
    #expect(set.add(pid: 1, start: 7), "it is there")
    #expect((1...Int32(MuteSet.subjectLimit)).allSatisfy { mutes(set, pid: $0, start: 7) })
    #expect(!mutes(set, pid: 1, start: 8))
    set.remove(pid: 17, start: 7)
    #expect(!mutes(set, pid: 17, start: 7))
    #expect(set.add(pid: 1000, start: 7))
    #expect(mutes(set, pid: 1000, start: 7))
    set.removeAll()
    #expect(!mutes(set, pid: 1, start: 7))
    // Places that were used are used again, for ever.
    for round in 0..<2000 as Range<Int32> {
      #expect(set.add(pid: round, start: 1))
      set.remove(pid: round, start: 1)
    }
    #expect(set.add(pid: 1, start: 7))
    #expect(mutes(set, pid: 1, start: 7))
  }

  @Test func `paths are muted by their beginnings`() {
    let set = MuteSet()
    #expect(set.add(prefix: Array("/usr/lib/".utf8)))
    #expect(mutes(set, "/usr/lib/x"))
    #expect(!mutes(set, "/usr/lib"))
    #expect(!mutes(set, "/etc"))
    for index in 1..<MuteSet.prefixLimit { #expect(set.add(prefix: Array("/p\(index)/".utf8))) }
    #expect(!set.add(prefix: Array("/more/".utf8)))
    #expect(set.add(prefix: Array("/usr/lib/".utf8)), "it is there")
    #expect(!set.add(prefix: [UInt8](repeating: 47, count: MuteSet.prefixBytes + 1)))
    set.removeAll()
    #expect(!mutes(set, "/usr/lib/x"))
    #expect(set.add(prefix: Array("/etc".utf8)))
    #expect(mutes(set, "/etc/passwd"))
  }

  @Test(.timeLimit(.minutes(1)))
  func `a process that stays is muted while others come and go`() {
    let set = MuteSet()
    #expect(set.add(pid: 4242, start: 1))
    let isOver = Flag()
    let threads = (0..<2).map { index in
      WorkerThread(named: "muting \(index)") {
        var pid = Int32(index + 1)
        while !isOver.isSet {
          _ = set.add(pid: pid % 512, start: 2)
          set.remove(pid: (pid + 200) % 512, start: 2)
          pid += 2
        }
      }
    }
    var builder = RecordBuilder()
    makeOpen("/x", pid: 4242, &builder)
    builder.header.pointee.subject.start_ns = 1
    var isMuted = true
    for _ in 0..<20_000 where !set.mutes(builder.view) { isMuted = false }
    isOver.set()
    for thread in threads { thread.join() }
    #expect(isMuted)
  }
}
