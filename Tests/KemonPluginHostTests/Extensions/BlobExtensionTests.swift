// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonPluginHost

@Suite struct BlobExtensionTests {
  private func open(pid: Int32, start: UInt64 = 1, on test: TestHost) -> Bool {
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
    builder.header.pointee.subject.pid = pid
    builder.header.pointee.subject.start_ns = start
    builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text("/x")))
    return !test.dispatcher.dispatch(&builder).isDenied
  }

  private func host() throws -> TestHost {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("blobs"), to: "blobs.so")
    #expect(test.load().problems.isEmpty)
    #expect(test.host.start().isEmpty)
    return test
  }

  @Test func `each process has memory of its own, and the one that was quiet longest loses it`()
    throws
  {
    let test = try host()
    #expect((0..<3).map { _ in open(pid: 1, on: test) } == [true, true, false])
    #expect(open(pid: 2, on: test))
    #expect(open(pid: 2, start: 9, on: test), "another process with its number")
    for _ in 0..<5000 where test.collector.lines.count < 2 { usleep(1000) }
    #expect(test.collector.lines == ["bad -1 -1", "fini 1 3"])
    #expect(open(pid: 1, on: test), "its memory is new")
    test.host.stop()
    let lines = test.collector.lines
    #expect(lines.count == 5)
    #expect(Set(lines.suffix(3)) == ["fini 2 1", "fini 1 1"])
    let metrics = test.host.metrics
    #expect(metrics.map(\.name) == ["host.blob0.evictions", "host.blob0.refusals"])
    #expect(metrics.map(\.value) == [.count(2), .count(0)])
  }

  @Test func `a process that ends while the plugin is disabled takes its memory with it`() throws {
    let test = try host()
    #expect(open(pid: 1, on: test))
    try test.host.setEnabled(false, "blobs")
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_PROCESS_EXIT))
    builder.header.pointee.subject.pid = 1
    builder.header.pointee.subject.start_ns = 1
    test.dispatcher.dispatch(&builder)
    for _ in 0..<5000 where test.collector.lines.count < 2 { usleep(1000) }
    #expect(test.collector.lines == ["bad -1 -1", "fini 1 1"])
    test.host.stop()
  }

  @Test(.timeLimit(.minutes(1)))
  func `lanes ask while memory comes and goes`() throws {
    let test = try host()
    let dispatcher = test.dispatcher
    let threads = (0..<3).map { index in
      WorkerThread(named: "lane \(index)") {
        var builder = RecordBuilder()
        for round in 0..<2000 {
          builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
          builder.header.pointee.subject.pid = Int32(index * 10_000 + round)
          builder.setPayload(
            kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text("/x")))
          dispatcher.dispatch(&builder)
        }
      }
    }
    for thread in threads { thread.join() }
    test.host.stop()
    let statistics = try #require(test.dispatcher.handlerStatistics().first)
    let fini = test.collector.lines.count { $0.hasPrefix("fini") }
    #expect(fini + Int(statistics.faults) == 6000, "each had memory, or was refused it")
  }

  @Test func `memory of ended processes is used again, and no process has that of another`() {
    var slot = BlobSlot(bytes: 8, limit: 4, fini: nil, context: nil)
    var random = SeededRandom(seed: 3)
    var order: [BlobSlot.Key] = []
    for _ in 0..<5000 {
      let key = BlobSlot.Key(pid: Int32(random.next() % 9), start: 1)
      switch random.next() % 4 {
      case 0:
        slot.remove(key)
        order.removeAll { $0 == key }
      case 1: slot.reuse(slot.takeLeaving())
      default:
        let isKnown = order.contains(key)
        let before = slot.refusals
        let memory = slot.get(key)
        guard let memory else {
          #expect(slot.refusals == before + 1)
          continue
        }
        order.removeAll { $0 == key }
        if !isKnown, order.count == 4 { order.removeFirst() }
        order.append(key)
        let word = UInt64(UInt32(bitPattern: key.pid)) + 1
        let found = memory.load(as: UInt64.self)
        #expect(found == (isKnown ? word : 0))
        memory.storeBytes(of: word, as: UInt64.self)
      }
      #expect(slot.count == order.count)
    }
    #expect(slot.evictions > 0)
  }
}
