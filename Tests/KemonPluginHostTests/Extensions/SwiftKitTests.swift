// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import KemonTestSupport
import KemonText
import Testing

@testable import KemonPluginHost

/// What KemonPluginKit promises and the host keeps, by a plugin that uses all of it.
@Suite(.enabled(if: SwiftPlugin.canBeBuilt, "needs swiftc, cc, and no sanitizer"))
struct SwiftKitTests {
  private static let source = """
    import Glibc
    import KemonPluginKit
    import Synchronization

    final class Whole: KemonPlugin, Reconfigurable, StateSaving {
      private struct Tally: ~Copyable, Sendable { let opens = Atomic<Int>(0) }
      private struct NeedsMore: Error {}
      private typealias Length = @Sendable (CText, UInt32?) throws(HostRefusal) -> Int32

      private let host: Host
      private let denied: Live<String>
      private let deletions: Atomic<UInt8>
      private let opens: MutedHandler
      private let tallies: ProcessMemory.Slot<Tally>
      private let length = Mutex<Length?>(nil)

      init(host: Host) throws {
        guard let muting = host.muting, let memory = host.memory, let services = host.services,
          let output = host.output
        else { throw NeedsMore() }
        self.host = host
        denied = Live(try host.config.string("denied") ?? "/denied")
        let state = host.state
        deletions = Atomic(state?.bytes.first ?? 0)
        output.write("begins \\(state?.bytes.first ?? 0) \\(state?.version ?? 0)\\n")
        opens = muting.handler("open")
        tallies = try memory.reserve(
          upTo: 8,
          atEnd: { tally in output.write("ends \\(tally.opens.load(ordering: .relaxed))\\n") }
        ) { Tally() }
        try services.provide("whole.length", fields: "text", "more") {
          (text: CText, more: UInt32?) -> Int32 in
          Int32(text.string.utf8.count) + Int32(more ?? 0)
        }
      }

      func start() throws {
        let found = try host.services?
          .find("whole.length", fields: "text", "more", as: ((CText, UInt32?) -> Int32).self)
        length.withLock { $0 = found }
      }

      func reconfigure(_ config: Config) throws {
        denied.replace(with: try config.string("denied") ?? "/denied")
      }

      func save() throws -> [UInt8] { [deletions.load(ordering: .relaxed)] }

      var handlers: [Handler] {
        On(
          "file.open", .pre, name: "open", timeout: .milliseconds(500), onTimeout: .deny,
          cache: .path
        ) { [self] event in
          guard let file = event.view(of: kemon_file.self) else { throw NeedsMore() }
          switch file.path.string {
          case "/slow":
            usleep(900_000)
            return .allow
          case "/same":
            return .deny(.EACCES, "as before").cacheable()
          case "/mute":
            try opens.mute(processOf: event)
            return .allow
          case "/time":
            guard let thread = host.thread, let left = thread.timeLeft, thread.role == .lane else {
              return .abstain
            }
            return left > .zero && left <= .milliseconds(500) ? .deny("in time") : .abstain
          case "/third":
            let count = tallies.with(event) { $0.opens.add(1, ordering: .relaxed).newValue }
            return count == 3 ? .deny("third") : .abstain
          case "/length":
            guard let length = length.withLock({ $0 }) else { return .abstain }
            let (with, without) = (try length(CText("abc"), 4), try length(CText("abc"), nil))
            return with == 7 && without == 3 ? .deny("measured") : .abstain
          case let path:
            return path == denied.value ? .deny("configured") : .abstain
          }
        }
        Observe("file.delete") { [self] _ in
          deletions.wrappingAdd(1, ordering: .relaxed)
          host.output?.write("deleted\\n")
        }
      }
    }
    """

  private static let built: Result<ScratchFolder, any Error> = Result {
    let folder = try ScratchFolder()
    try SwiftPlugin.build("Whole", source, manifest: #""state": 2"#, in: folder)
    return folder
  }

  private func host() throws -> TestHost {
    let test = try TestHost()
    try test.folder.copy(try Self.built.get().file("whole.so"), to: "whole.so")
    let report = test.load()
    try #require(report.problems.isEmpty, "\(report.problems) \(test.collector.logged)")
    try #require(test.host.start().isEmpty)
    return test
  }

  private func isDenied(_ path: String, pid: Int32 = 1, on test: TestHost) -> Bool {
    var builder = RecordBuilder()
    builder.begin(EventKind(KEMON_KIND_FILE_OPEN_PRE))
    builder.header.pointee.subject.pid = pid
    builder.header.pointee.subject.start_ns = 1
    builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: builder.text(path)))
    return test.dispatcher.dispatch(&builder).isDenied
  }

  /// The host's statistics of the handler that votes.
  private func statistics(_ test: TestHost) throws -> HandlerStatistics {
    try #require(test.dispatcher.handlerStatistics().first)
  }

  /// Stops the host; nothing that it saw was misbehaviour.
  private func end(_ test: TestHost) {
    test.host.stop()
    #expect(test.host.plugins.allSatisfy { $0.misbehaviour == 0 }, "\(test.collector.logged)")
  }

  @Test func `what a late handler would have said is its onTimeout`() throws {
    let test = try host()
    #expect(isDenied("/slow", on: test), "the handler says allow, but too late")
    #expect(!isDenied("/other", on: test))
    end(test)
  }

  @Test func `an answer that is cacheable is asked for once`() throws {
    let test = try host()
    for _ in 0..<3 { #expect(isDenied("/same", on: test)) }
    #expect(try statistics(test).calls == 1)
    for _ in 0..<3 { #expect(isDenied("/denied", on: test)) }
    #expect(try statistics(test).calls == 4)
    end(test)
  }

  @Test func `a handler mutes a process`() throws {
    let test = try host()
    #expect(isDenied("/denied", pid: 7, on: test))
    #expect(!isDenied("/mute", pid: 7, on: test))
    #expect(!isDenied("/denied", pid: 7, on: test))
    #expect(isDenied("/denied", pid: 8, on: test))
    end(test)
  }

  @Test func `a handler knows how long it may still think`() throws {
    let test = try host()
    #expect(isDenied("/time", on: test))
    end(test)
  }

  @Test func `each process has memory, until the plugin ends`() throws {
    let test = try host()
    #expect(
      [1, 2, 1, 1].map { isDenied("/third", pid: $0, on: test) } == [false, false, false, true])
    end(test)
    #expect(test.collector.lines.dropFirst().sorted() == ["ends 1\n", "ends 3\n"])
  }

  @Test func `a function is offered, found and called`() throws {
    let test = try host()
    #expect(isDenied("/length", on: test))
    end(test)
  }

  @Test func `another configuration is taken, or the one before is kept`() throws {
    let test = try host()
    let problem = #expect(throws: PluginProblem.self) {
      try test.host.reconfigure("whole", .object(["denied": .integer(5)]))
    }
    #expect(
      problem.map { "\($0)".contains("denied: must be a string") } == true, "\(problem as Any)")
    #expect(isDenied("/denied", on: test))
    try test.host.reconfigure("whole", .object(["denied": .string("/now")]))
    #expect(!isDenied("/denied", on: test))
    #expect(isDenied("/now", on: test))
    end(test)
  }

  @Test func `the next generation is given what the one before has saved`() throws {
    let test = try host()
    var builder = RecordBuilder()
    for _ in 0..<3 {
      builder.begin(EventKind(KEMON_KIND_FILE_DELETE))
      _ = test.dispatcher.dispatch(&builder)
    }
    // An observer that has not seen them yet leaves them to the next generation's.
    for _ in 0..<5000 where test.collector.lines.count < 4 { usleep(1000) }
    let report = try test.host.reload("whole")
    #expect(report.stateBytes == 1)
    #expect(
      test.collector.lines.filter { $0.hasPrefix("begins") } == ["begins 0 0\n", "begins 3 2\n"])
    #expect(isDenied("/length", on: test), "its functions have taken the place of the old ones")
    end(test)
  }
}
