// SPDX-License-Identifier: Apache-2.0

import CCalls
import KemonBus
import KemonEvents
import KemonPluginHost
import KemonText

/// Handlers with named arguments, by the lane that their signature takes, beside the bare call of such a function.
enum TypedVoters {
  /// A host with the plugin of typed.c.
  private final class Bench {
    private let ring = EventRing(slots: 1024)
    private let dispatcher: Dispatcher
    private let host: PluginHost
    private var builder = RecordBuilder()

    init(_ plugin: String, lane: String) throws {
      dispatcher = Dispatcher(ring: ring)
      host = PluginHost(
        dispatcher: dispatcher, ring: ring, clock: EventClock(), mode: .run,
        output: BufferedOutput(to: nil), log: DescriptorLog())
      let configuration = JSONValue.object(["typed": .object(["lane": .string(lane)])])
      let problems =
        host.load(directories: [plugin], configurations: configuration).problems + host.start()
      if let problem = problems.first { throw BenchError("\(problem)") }
    }

    deinit { host.stop() }

    /// Nanoseconds for many events about a file that was opened.
    func time(_ calls: Int) -> UInt64 {
      let start = EventClock.monotonic()
      for _ in 0..<calls {
        builder.begin(EventKind(KEMON_KIND_FILE_OPEN))
        builder.setPayload(
          kemon_file(dev: 1, ino: 2, flags: 3, mode: 4, path: builder.text("/usr/lib/libc.so.6")))
        builder.header.pointee.time_ns = 1
        dispatcher.ask(&builder)
      }
      return EventClock.monotonic() - start
    }
  }

  /// Measures the plugin of typed.c; what a handler of the event costs, its dispatch too, is taken away.
  static func measure(_ plugin: String, rounds: Int) throws -> [Row] {
    let calls = 500_000
    let ffi = Row("ffi_call of context, 4 integers, verdict", rounds: rounds, calls: calls) {
      calls_with_integers_through_ffi(UInt64(calls))
    }
    let bare = Row("the same through a bare pointer", rounds: rounds, calls: calls) {
      calls_with_integers(UInt64(calls))
    }
    let plain = try Bench(plugin, lane: "plain")
    let lanes = [
      ("fast", "typed, 4 integers, fast lane: beyond a handler of the event"),
      ("words", "the same in brackets"), ("ffi", "typed, 3 integers and a double, libffi: beyond"),
    ]
    let benches = try lanes.map { try Bench(plugin, lane: $0.0) }
    var added = [[Double]](repeating: [], count: lanes.count)
    // In turns, so that all have the same machine.
    for _ in 0..<rounds {
      let without = Double(plain.time(calls))
      for (index, bench) in benches.enumerated() {
        added[index].append((Double(bench.time(calls)) - without) / Double(calls))
      }
    }
    let rows = zip(lanes, added).map { lane, figures in
      Row(
        lane.1, nanoseconds: figures.sorted()[rounds / 2],
        target: lane.0 == "fast" ? ffi.nanoseconds / 4 : nil)
    }
    return [bare, ffi] + rows
  }
}
