// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonPluginHost

@Suite struct MetricsExtensionTests {
  @Test func `a plugin's counter and histogram are told by the host`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("meters"), to: "meters.so")
    #expect(test.load().problems.isEmpty)
    #expect(test.collector.lines == ["made 0 0 twice -1 name -1 null -1 host's -1"])
    #expect(test.host.plugins.first?.misbehaviour == 5, "and a histogram that is not there")
    #expect(test.host.start().isEmpty)
    for length in 1...100 { test.open(String(repeating: "x", count: length)) }
    test.host.stop()
    let metrics = test.host.metrics
    #expect(metrics.map(\.name) == ["opens", "path.length"])
    #expect(metrics[0].value == .count(100))
    #expect(metrics[0].help == "files that were opened")
    #expect(metrics[0].unit == "files")
    #expect(metrics[1].plugin == "meters")
    guard case .distribution(let values) = metrics[1].value else {
      Issue.record("no histogram")
      return
    }
    #expect(values.count == 100)
    #expect(values.sum == 5050)
    #expect(values.maximum == 100)
    #expect((47...53).contains(values.p50))
    #expect((93...100).contains(values.p99))
  }

  @Test func `nothing is lost when many threads count`() throws {
    let test = try TestHost()
    try test.folder.copy(Fixtures.build("meters"), to: "meters.so")
    #expect(test.load().problems.isEmpty)
    #expect(test.host.start().isEmpty)
    let dispatcher = test.dispatcher
    let threads = (0..<4).map { index in
      WorkerThread(named: "events \(index)") {
        var builder = RecordBuilder()
        for _ in 0..<5000 {
          builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
          builder.setPayload(
            kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text("/etc")))
          dispatcher.dispatch(&builder)
        }
      }
    }
    for thread in threads { thread.join() }
    test.host.stop()
    #expect(test.host.metrics.first?.value == .count(20_000))
    guard case .distribution(let values) = test.host.metrics[1].value else { return }
    #expect(values.count == 20_000)
    #expect((values.p50, values.p99) == (4, 4))
  }

  @Test func `a value lies in its bucket and not far from the middle`() {
    var random = SeededRandom(seed: 7)
    var last = -1
    for shift in 0..<64 as Range<UInt64> {
      for value in [1 << shift, (1 << shift) &+ 1, UInt64.max >> shift] {
        check(value)
      }
      let bucket = MetricHistogram.bucket(of: 1 << shift)
      #expect(bucket > last)
      last = bucket
    }
    for _ in 0..<10_000 { check(random.next() >> (random.next() % 64)) }
    check(0)
  }

  private func check(_ value: UInt64) {
    let bucket = MetricHistogram.bucket(of: value)
    #expect((0..<MetricHistogram.bucketCount).contains(bucket))
    let middle = MetricHistogram.middle(of: bucket)
    #expect(MetricHistogram.bucket(of: middle) == bucket)
    let distance = middle > value ? middle - value : value - middle
    #expect(distance <= value / 16, "\(value) in bucket \(bucket) of \(middle)")
  }
}
