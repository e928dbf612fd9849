// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonPluginHost
import KemonText

/// Handlers that are asked: what an event costs with one, without one, and in a worker.
enum Voters {
  /// Plugins of a run, and what they are asked about.
  private final class Bench {
    let ring = EventRing(slots: 1024)
    let dispatcher: Dispatcher
    private let host: PluginHost
    private var builder = RecordBuilder()

    init(
      _ plugin: String, configuration: JSONValue = .object([:]), isolate: IsolationPolicy
    ) throws {
      dispatcher = Dispatcher(ring: ring)
      let clock = EventClock()
      host = PluginHost(
        dispatcher: dispatcher, ring: ring, clock: clock, mode: .run,
        output: BufferedOutput(to: nil), log: DescriptorLog())
      let problems =
        host.load(directories: [plugin], configurations: configuration, isolate: isolate).problems
        + host.start()
      if let problem = problems.first { throw BenchError("\(problem)") }
    }

    deinit { host.stop() }

    /// Asks about a file that is opened.
    func ask(_ kind: EventKind) {
      builder.begin(kind)
      builder.setPayload(
        kemon_file(dev: 1, ino: 2, flags: 0, mode: 0, path: builder.text("/usr/lib/libc.so.6")))
      builder.header.pointee.time_ns = 1
      dispatcher.ask(&builder)
    }

    /// Nanoseconds for many questions.
    func time(_ kind: EventKind, _ calls: Int) -> UInt64 {
      let start = EventClock.monotonic()
      for _ in 0..<calls { ask(kind) }
      return EventClock.monotonic() - start
    }

    /// Nanoseconds for each of many questions.
    func times(_ kind: EventKind, _ calls: Int) -> [UInt64] {
      var times: [UInt64] = []
      times.reserveCapacity(calls)
      for _ in 0..<1000 { ask(kind) }
      var mark = EventClock.monotonic()
      for _ in 0..<calls {
        ask(kind)
        let now = EventClock.monotonic()
        times.append(now - mark)
        mark = now
      }
      return times
    }
  }

  private static let deniable = EventKind(KEMON_KIND_FILE_OPEN_PRE)
  private static let told = EventKind(KEMON_KIND_FILE_OPEN)

  private static func configuration(_ kind: String) -> JSONValue {
    .object(["noop": .object(["kind": .string(kind)])])
  }

  /// Measures the plugin of noop.c.
  static func measure(_ plugin: String, rounds: Int) throws -> [Row] {
    let calls = 500_000
    let nobody = try Bench(plugin, configuration: configuration("kext.start"), isolate: .none)
    let here = try Bench(plugin, configuration: configuration("file.open"), isolate: .none)
    let cost = { (kind: EventKind) -> Row in
      // In turns, so that both have the same machine.
      var added: [Double] = []
      for _ in 0..<rounds {
        let without = nobody.time(kind, calls)
        let with = here.time(kind, calls)
        added.append((Double(with) - Double(without)) / Double(calls))
      }
      return Row(
        kind == told
          ? "no-op plugin in process, beyond an event that nobody wants"
          : "the same before an operation, with its time taken",
        nanoseconds: added.sorted()[rounds / 2], target: kind == told ? 20 : nil)
    }
    let rows = [cost(told), cost(deniable)]
    let worker = try Bench(plugin, configuration: configuration("file.open"), isolate: .all)
    return rows + [
      Row(
        "no-op plugin in a worker, there and back", times: worker.times(deniable, 50_000),
        target: 6000)
    ]
  }

  /// Measures a plugin in Python that has nothing to say when a file is opened.
  static func measure(python plugin: String) throws -> [Row] {
    let worker = try Bench(plugin, isolate: .none)
    return [
      Row("no-op plugin in Python, there and back", times: worker.times(deniable, 20_000))
    ]
  }
}
