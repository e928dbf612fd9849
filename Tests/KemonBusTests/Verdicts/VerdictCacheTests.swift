// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonEvents
import Testing

@Suite struct VerdictCacheTests {
  /// Answers by the declared fields alone, and counts how often it is asked.
  final class Judge: @unchecked Sendable {
    let salt: UInt64
    let fields: CacheDeclaration.Fields
    let isCacheable: Bool
    let calls = Counter()

    init(
      salt: UInt64 = 1, fields: CacheDeclaration.Fields = [.path, .uid], isCacheable: Bool = true
    ) {
      self.salt = salt
      self.fields = fields
      self.isCacheable = isCacheable
    }

    static let function: kemon_handler_fn = { context, event, verdict in
      guard let context, let event, let verdict else { return -1 }
      let judge = Unmanaged<Judge>.fromOpaque(context).takeUnretainedValue()
      judge.calls.add(1)
      let record = RecordView(trusted: event)
      var hash = judge.salt
      func mix(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      }
      let subject = record.subject
      if judge.fields.contains(.pid) { withUnsafeBytes(of: subject.pid) { mix($0) } }
      if judge.fields.contains(.uid) { withUnsafeBytes(of: subject.uid) { mix($0) } }
      if judge.fields.contains(.exe) { mix(record.bytes(subject.exe)) }
      if judge.fields.contains(.comm) { mix(record.bytes(subject.comm)) }
      if judge.fields.contains(.path) || judge.fields.contains(.payload) {
        mix(record.view(of: kemon_file.self)?.path.bytes ?? .init(start: nil, count: 0))
      }
      hash ^= hash >> 29
      let actions = [KEMON_ABSTAIN, KEMON_ALLOW, KEMON_MODIFY, KEMON_DENY]
      verdict.pointee.allow_mask = hash
      _ = kemon_say(
        verdict, UInt16(actions[Int(hash % 4)]), [0, 1, 2, 13][Int(hash >> 8 % 4) & 3],
        UInt32(truncatingIfNeeded: hash >> 16 & 3), "why")
      if judge.isCacheable { verdict.pointee.flags |= UInt16(KEMON_V_CACHEABLE) }
      return 0
    }

    func handler(
      _ name: String = "j", plugin: UInt32 = 1, priority: Int32 = 0, tier: VerdictTier = .enforce,
      filter: EventFilter? = nil, lifetime: UInt64 = 0, isDeclared: Bool = true
    ) -> Handler {
      Handler(
        name: name, pluginID: plugin, pluginName: "p", kinds: [EventKind(KEMON_KIND_FILE_OPEN_PRE)],
        filter: filter, tier: tier, priority: priority, function: Self.function,
        context: Unmanaged.passUnretained(self).toOpaque(),
        cache: isDeclared ? CacheDeclaration(fields: fields, lifetime: lifetime) : .none)
    }
  }

  let dispatcher = Dispatcher(ring: EventRing(slots: 16))

  private func ask(
    _ path: String = "/etc/hosts", uid: UInt32 = 501, pid: Int32 = 1, time: UInt64 = 1000,
    _ check: (RecordView) -> Void = { _ in }
  ) -> Verdict {
    var builder = RecordBuilder()
    makeOpen(path, pid: pid, uid: uid, &builder)
    builder.header.pointee.time_ns = time
    let verdict = dispatcher.ask(&builder)
    check(builder.view)
    return verdict
  }

  @Test func `an equal event is answered without a call`() {
    let judge = Judge()
    dispatcher.add([judge.handler()])
    let first = ask()
    let second = ask(pid: 77) { record in
      #expect(record.event.pointee.flags & UInt16(KEMON_EV_CACHED) != 0)
      #expect(record.voteCount == 0 && record.verdict == first.action)
      #expect(record.event.pointee.decided_by == first.decidedBy)
    }
    #expect(first == second && judge.calls.value == 1)
    _ = ask(uid: 0)
    _ = ask("/etc/host")
    #expect(judge.calls.value == 3)
    let statistics = dispatcher.cache.statistics
    #expect(statistics.hits == 1 && statistics.misses == 3 && statistics.stores == 3)
  }

  @Test func `one who does not let it be remembered is asked every time, with all others`() {
    let judge = Judge()
    let (unsure, undeclared) = (Judge(isCacheable: false), Judge())
    dispatcher.add([judge.handler("a"), unsure.handler("b")])
    _ = ask()
    _ = ask()
    #expect(judge.calls.value == 2 && unsure.calls.value == 2)
    #expect(dispatcher.cache.statistics.stores == 0)
    let other = Dispatcher(ring: EventRing(slots: 16))
    other.add([judge.handler("a"), undeclared.handler("b", isDeclared: false)])
    var builder = RecordBuilder()
    for _ in 0..<2 {
      makeOpen("/x", &builder)
      other.ask(&builder)
    }
    #expect(undeclared.calls.value == 2 && other.cache.statistics.misses == 0)
  }

  @Test func `a fault is not remembered`() {
    let failing = Voter(.allow, status: -7)
    var handler = failing.handler("f", onFault: .deny)
    handler.cache = CacheDeclaration(fields: [.uid])
    dispatcher.add([handler])
    for _ in 0..<3 { #expect(ask().isDenied) }
    #expect(failing.calls.value == 3)
  }

  @Test func `what a filter reads is part of the key`() throws {
    let judge = Judge(fields: [.path])
    dispatcher.add([judge.handler(filter: try EventFilter(parsing: "uid == 501"))])
    let asked = ask(uid: 501)
    #expect(ask(uid: 0).action == .abstain, "the filter keeps it away")
    #expect(ask(uid: 501) == asked)
    #expect(judge.calls.value == 1)
  }

  @Test func `every change of the handlers forgets everything`() {
    let (judge, other) = (Judge(), Judge(salt: 9))
    let token = dispatcher.add([judge.handler()])[0]
    _ = ask()
    let second = dispatcher.add([other.handler("o", plugin: 2)])[0]
    _ = ask()
    #expect(judge.calls.value == 2 && other.calls.value == 1)
    dispatcher.setEnabled(false, second)
    _ = ask()
    dispatcher.replace(token, with: judge.handler("j2"))
    _ = ask()
    dispatcher.remove([second])
    _ = ask()
    #expect(judge.calls.value == 5)
    dispatcher.cache.flush(.requested)
    _ = ask()
    #expect(judge.calls.value == 6)
    let flushes = dispatcher.cache.statistics.flushes
    #expect(flushes[.handlersChanged] == 5 && flushes[.requested] == 1)
  }

  @Test func `an answer holds as long as was declared, in the time of events`() {
    let judge = Judge()
    dispatcher.add([judge.handler(lifetime: 500)])
    _ = ask(time: 1000)
    _ = ask(time: 1500)
    #expect(judge.calls.value == 1)
    _ = ask(time: 1501)
    #expect(judge.calls.value == 2)
    _ = ask(time: 1000)
    #expect(judge.calls.value == 3, "before the answer was given")
    #expect(dispatcher.cache.statistics.expired == 2)
  }

  @Test func `a truncated or overlong event is asked about every time`() {
    let judge = Judge()
    dispatcher.add([judge.handler()])
    let long = "/" + String(repeating: "x", count: 1000)
    _ = ask(long)
    _ = ask(long)
    #expect(judge.calls.value == 2 && dispatcher.cache.statistics.oversized == 2)
    for _ in 0..<2 {
      var builder = RecordBuilder()
      makeOpen("/x", &builder)
      builder.header.pointee.flags |= UInt16(KEMON_EV_TRUNCATED)
      dispatcher.ask(&builder)
    }
    #expect(judge.calls.value == 4)
  }

  @Test func `it is bounded, and counts what made room`() {
    let small = Dispatcher(ring: EventRing(slots: 16), cacheCapacity: 16)
    let judge = Judge()
    small.add([judge.handler()])
    var builder = RecordBuilder()
    for number in 0..<1000 {
      makeOpen("/\(number)", &builder)
      small.ask(&builder)
    }
    let statistics = small.cache.statistics
    #expect(small.cache.capacity == 16)
    #expect(statistics.stores == 1000 && statistics.evictions >= 1000 - 16)
  }

  /// Whatever the handlers, the events and the order: with the cache as without.
  @Test func `remembered answers are those that would be given`() throws {
    var random = SplitMix64(seed: 2026)
    let sets: [CacheDeclaration.Fields] = [
      [.path], [.uid], [.path, .uid], [.pid, .path], [.comm], [.exe, .uid], [.payload],
    ]
    let filters = try ["uid == 501", "path ^= '/e'", "not pid in (1, 2)", "kind == 'file.open'"]
      .map { try EventFilter(parsing: $0) }
    for _ in 0..<60 {
      let judges = (0..<Int.random(in: 1...4, using: &random))
        .map { _ in
          Judge(
            salt: random.next(), fields: sets.randomElement(using: &random) ?? [],
            isCacheable: random.next() % 8 != 0)
        }
      let handlers = judges.enumerated()
        .map { index, judge in
          judge.handler(
            "\(index)", plugin: UInt32(index + 1), priority: Int32(random.next() % 3),
            tier: random.next() % 5 == 0 ? .observe : .enforce,
            filter: random.next() % 3 == 0 ? filters.randomElement(using: &random) : nil,
            lifetime: random.next() % 2 == 0 ? 0 : 50, isDeclared: random.next() % 12 != 0)
        }
      let cached = Dispatcher(ring: EventRing(slots: 16), cacheCapacity: 32)
      let plain = Dispatcher(ring: EventRing(slots: 16))
      cached.add(handlers)
      plain.add(
        handlers.map {
          var handler = $0
          handler.cache = .none
          return handler
        })
      for step in 0..<300 {
        var left = RecordBuilder(capacity: 1024)
        var right = RecordBuilder(capacity: 1024)
        let path = ["/etc/a", "/etc/b", "/e", "/tmp/c", ""].randomElement(using: &random) ?? ""
        let (pid, uid) = (Int32(random.next() % 3), UInt32(random.next() % 2) * 501)
        for isLeft in [true, false] {
          func make(_ builder: inout RecordBuilder) {
            makeOpen(path, pid: pid, uid: uid, &builder)
            builder.header.pointee.time_ns = UInt64(step) + 1
          }
          if isLeft { make(&left) } else { make(&right) }
        }
        #expect(cached.ask(&left) == plain.ask(&right))
        if random.next() % 100 == 0 { cached.cache.flush(.configurationChanged) }
      }
    }
  }

  /// Several threads, small cache, handlers that change: never an answer of another event or generation.
  @Test func `under load no answer is another event's`() {
    let shared = Dispatcher(ring: EventRing(slots: 16), cacheCapacity: 8)
    let expected = Dispatcher(ring: EventRing(slots: 16))
    let judge = Judge()
    let token = shared.add([judge.handler()])[0]
    expected.add([judge.handler(isDeclared: false)])
    let (stop, wrong, asked) = (Counter(), Counter(), Counter())
    let threads = (0..<3)
      .map { number in
        WorkerThread(named: "lane") {
          var random = SplitMix64(seed: UInt64(number))
          var left = RecordBuilder()
          var right = RecordBuilder()
          while stop.value == 0 {
            let path = "/\(random.next() % 24)"
            makeOpen(path, &left)
            makeOpen(path, &right)
            if shared.ask(&left) != expected.ask(&right) { wrong.add(1) }
            asked.add(1)
          }
        }
      }
    for _ in 0..<100 {
      shared.replace(token, with: judge.handler())
      usleep(200)
    }
    stop.add(1)
    for thread in threads { thread.join() }
    #expect(wrong.value == 0)
    #expect(shared.cache.statistics.hits > 0)
  }
}
