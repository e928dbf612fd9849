// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

/// The paths on which events travel allocate nothing, and in a release count no references.
@Suite(.serialized) struct HotPathTests {
  private typealias Count = @convention(c) () -> UInt64

  /// The counter of the preloaded library, in the process that was started with it.
  private static let counter: Count? = dlsym(nil, "kemon_malloc_calls")
    .map { unsafeBitCast($0, to: Count.self) }

  /// Starts this very test in a process that counts, and asks there.
  @Test func `publishing, draining and asking allocate nothing`() throws {
    guard let counter = Self.counter else {
      let library = try #require(
        FixtureProgram.compile("MallocCounter/malloc_counter.c", ["-shared", "-fPIC"]))
      let result = try Command(path: "/proc/self/exe")
        .run(
          ["--testing-library", "swift-testing", "--filter", "HotPathTests"],
          environment: ["LD_PRELOAD": library])
      #expect(result.status == 0, "\(result.text)")
      return
    }
    for (name, count) in try Self.measure(counter) { #expect(count == 0, "\(name)") }
  }

  private static func measure(_ counter: Count) throws -> [(String, UInt64)] {
    let ring = EventRing(slots: 64)
    let dispatcher = Dispatcher(ring: ring)
    func handler(_ kind: Int, _ filter: EventFilter? = nil) -> Handler {
      Handler(
        name: "h", pluginID: 1, pluginName: "p", kinds: [EventKind(kind)], filter: filter,
        function: { _, _, verdict in
          guard let verdict else { return -1 }
          verdict.pointee.action = UInt16(KEMON_DENY)
          verdict.pointee.flags = UInt16(KEMON_V_CACHEABLE)
          (verdict.pointee.reason.0, verdict.pointee.reason.1) = (78, 0)
          return 0
        })
    }
    var remembered = handler(KEMON_KIND_FILE_RENAME_PRE)
    remembered.cache = CacheDeclaration(fields: [.path, .uid])
    let filter = try EventFilter(parsing: "path ^= '/etc/' and kind ^= 'file'")
    dispatcher.add([handler(KEMON_KIND_FILE_OPEN_PRE, filter), remembered])
    dispatcher.add((0..<40).map { _ in handler(KEMON_KIND_FILE_DELETE) })
    let gating = try ring.subscribe(named: "g", overflow: .block)
    let copying = try ring.subscribe(named: "c", overflow: .drop)
    var builder = RecordBuilder()
    var results: [(String, UInt64)] = []
    results.reserveCapacity(8)
    func count(_ name: String, _ body: () -> Void) {
      // What is made once, at the first call, is no business of the path.
      for _ in 0..<4 { body() }
      let before = counter()
      for _ in 0..<100 { body() }
      results.append((name, counter() - before))
    }
    let (large, small) = (String(repeating: "x", count: 3000), "/etc/hosts")
    for (name, path, kind) in [
      ("pre", small, KEMON_KIND_FILE_OPEN_PRE), ("post", small, KEMON_KIND_FILE_DELETE),
      ("cached", small, KEMON_KIND_FILE_RENAME_PRE), ("large", large, KEMON_KIND_FILE_OPEN_PRE),
    ] {
      if kind == KEMON_KIND_FILE_RENAME_PRE {
        builder.begin(EventKind(kind))
        builder.setPayload(
          kemon_file_pair(dev: 0, ino: 0, path: builder.text(path), to: builder.text(path)))
      } else {
        makeOpen(path, kind: Int(kind), &builder)
      }
      let original = RecordBuilder.copy(of: &builder)
      count("dispatch \(name)") {
        builder.begin(copying: original.view)
        dispatcher.dispatch(&builder)
        _ = gating.drain { _ in true }
        _ = copying.drain { _ in true }
      }
    }
    return results
  }

  // MARK: The machine code

  /// The folder with the objects of an optimised build of these very sources.
  private static let folder = ProcessInfo.processInfo.environment["KEMON_HOT_PATHS"]

  @Test(.enabled(if: folder != nil, "needs KEMON_HOT_PATHS, which make test sets"))
  func `no reference is counted and no access is checked on the paths`() throws {
    let folder = URL(filePath: Self.folder ?? "")
    let objects = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".o") }.map { folder.appending(path: $0).path }
    let listing = try #require(Command("objdump"))
      .run(["-dr", "--no-show-raw-insn"] + objects).output
    let paths = [
      "Dispatcher.dispatch":
        "$s8KemonBus10DispatcherC8dispatchyAA7VerdictV0A6Events13RecordBuilderVzF",
      "EventRing.publish": "$s8KemonBus9EventRingC7publishySb0A6Events13RecordBuilderVzF",
      "Subscription.drain":
        "$s8KemonBus12SubscriptionC5drain5limit_S2i_Sb0A6Events10RecordViewVXEtF",
      "RingReader.fetch": "$s8KemonBus10RingReaderC5fetchAC7FetchedVyF",
      "Dispatcher.ask": "$s8KemonBus10DispatcherC3askyAA7VerdictV0A6Events13RecordBuilderVzF",
    ]
    let forbidden = [
      "swift_retain", "swift_release", "swift_beginAccess", "swift_allocObject", "swift_bridge",
      "malloc", "pthread_mutex",
    ]
    for (name, symbol) in paths {
      // Not inside #require, which would print the whole listing.
      let place = listing.range(of: "<\(symbol)>:")
      let start = try #require(place, "\(name) is not there")
      let end = listing.range(of: "\n\n", range: start.upperBound..<listing.endIndex)
      let body = listing[start.upperBound..<(end?.lowerBound ?? listing.endIndex)]
      for word in forbidden { #expect(!body.contains(word), "\(name) has \(word)") }
    }
  }
}

extension RecordBuilder {
  /// The same record in another builder.
  static func copy(of builder: inout RecordBuilder) -> RecordBuilder {
    var copy = RecordBuilder()
    copy.begin(copying: builder.seal())
    return copy
  }
}
