// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonPluginHost
import KemonText

/// Handlers that only observe: how long it takes until all have seen everything.
enum Observers {
  /// Measures the plugin of noop.c.
  static func measure(_ plugin: String, rounds: Int) throws -> [Row] {
    [
      try measure(plugin, rounds, .none, "an event until an observer in process has seen it"),
      try measure(plugin, rounds, .all, "an event until an observer in a worker has seen it"),
    ]
  }

  private static func measure(
    _ plugin: String, _ rounds: Int, _ isolate: IsolationPolicy, _ name: String
  ) throws -> Row {
    let ring = EventRing(slots: 8192)
    let dispatcher = Dispatcher(ring: ring)
    let host = PluginHost(
      dispatcher: dispatcher, ring: ring, clock: EventClock(), mode: .bench,
      output: BufferedOutput(to: nil), log: DescriptorLog(), observerOverflow: .block)
    let settings = JSONValue.object([
      "noop": .object(["kind": .string("*"), "observe": .bool(true)])
    ])
    let problems =
      host.load(directories: [plugin], configurations: settings, isolate: isolate).problems
      + host.start()
    defer { host.stop() }
    if let problem = problems.first { throw BenchError("\(problem)") }
    let events = 200_000
    var builder = RecordBuilder()
    return Row(name, rounds: rounds, calls: events) {
      let start = EventClock.monotonic()
      for _ in 0..<events {
        builder.begin(EventKind(KEMON_KIND_FILE_OPEN))
        builder.setPayload(
          kemon_file(dev: 1, ino: 2, flags: 0, mode: 0, path: builder.text("/usr/lib/libc.so.6")))
        builder.header.pointee.time_ns = 1
        dispatcher.dispatch(&builder)
      }
      while host.observerAccounts.contains(where: { $0.pending > 0 }) { usleep(20) }
      return EventClock.monotonic() - start
    }
  }
}
