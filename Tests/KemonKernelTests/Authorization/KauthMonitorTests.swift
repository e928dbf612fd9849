// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import Synchronization
import Testing

@testable import KemonKernel

@Suite struct KauthMonitorTests {
  @Test(
    arguments: [
      ("remove", .remove),
      ("add com.apple.kauth.fileop", .add(scope: "com.apple.kauth.fileop", prefix: [])),
      ("add   x", .add(scope: "x", prefix: [])),
      ("add x   /Users/a b ", .add(scope: "x", prefix: Array("/Users/a b ".utf8))),
      ("add", nil), ("add ", nil), ("add    ", nil), ("remove ", nil), ("Remove", nil), ("", nil),
      ("added x", nil),
      (
        "add " + String(repeating: "x", count: 4091),
        .add(scope: String(repeating: "x", count: 4091), prefix: [])
      ),
      ("add " + String(repeating: "x", count: 4092), nil),
    ] as [(String, KauthConfiguration?)])
  func `the configuration string is read as the original reads it`(
    _ text: String, _ expected: KauthConfiguration?
  ) {
    #expect(KauthConfiguration(parsing: text) == expected)
  }

  @Test func `the listener tells of file operations as the original did`() throws {
    let machine = try FilesMachine(hooked: false)
    let monitor = KauthMonitor(machine.kauth, records: machine.records)
    try monitor.configure(KauthConfiguration.initial)
    _ = machine.seen()
    let file = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    try machine.files.close(file, as: machine.bash)
    try machine.write("x", to: "/tmp/new", as: machine.bash)
    try machine.files.rename("/tmp/new", to: "/tmp/other", as: machine.bash)
    try machine.files.link("/tmp/other", as: "/tmp/link", by: machine.bash)
    try machine.files.unlink("/tmp/link", as: machine.bash)
    let seen = machine.seen()
    #expect(
      seen.map(\.description) == [
        "post open /etc/hosts", "post close /etc/hosts", "post create /tmp/new",
        "post close /tmp/new", "post rename /tmp/new /tmp/other",
        "post link /tmp/other /tmp/link", "post delete /tmp/link",
      ])
    #expect(seen.map(\.modified) == [0, 0, 0, 1, 0, 0, 0])
    #expect(seen.allSatisfy { $0.corr == 0 }, "a listener knows no beginning")
    #expect(seen[0].inode != 0 && seen[0].inode == seen[1].inode)
    monitor.close()
    _ = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    #expect(machine.seen().isEmpty)
  }

  @Test func `a prefix is bytes, and of two paths one is enough`() throws {
    let machine = try FilesMachine(hooked: false)
    let monitor = KauthMonitor(machine.kauth, records: machine.records)
    try monitor.configure("add com.apple.kauth.fileop /tmp/a")
    _ = machine.seen()
    try machine.write("", to: "/tmp/b", as: machine.bash)
    try machine.write("", to: "/tmp/ab", as: machine.bash)
    try machine.files.rename("/tmp/b", to: "/tmp/a", as: machine.bash)
    try machine.files.rename("/tmp/a", to: "/tmp/c", as: machine.bash)
    try machine.files.rename("/tmp/c", to: "/tmp/d", as: machine.bash)
    #expect(
      machine.seen().map(\.description) == [
        "post create /tmp/ab", "post close /tmp/ab", "post rename /tmp/b /tmp/a",
        "post rename /tmp/a /tmp/c",
      ])
    monitor.close()
  }

  @Test func `a string that says nothing is kept and changes nothing`() throws {
    let machine = try FilesMachine(hooked: false)
    let monitor = KauthMonitor(machine.kauth, records: machine.records)
    #expect(try monitor.configure(KauthConfiguration.initial))
    #expect(try !monitor.configure("nonsense"))
    #expect(monitor.text == "nonsense")
    _ = machine.seen()
    _ = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    #expect(machine.seen().count == 1)
    #expect(throws: DarwinErrno.EINVAL) {
      try monitor.configure(String(repeating: "x", count: 4096))
    }
    monitor.close()
  }

  @Test func `only one scope at a time, and a full one is refused`() throws {
    let machine = try FilesMachine(hooked: false)
    let monitor = KauthMonitor(machine.kauth, records: machine.records)
    try monitor.configure(KauthConfiguration.initial)
    for _ in 0..<15 {
      _ = try #require(machine.kauth.listen(to: KauthScope.process.rawValue) { _ in .defer })
    }
    #expect(throws: DarwinErrno.ENOMEM) { try monitor.configure("add com.apple.kauth.process") }
    _ = machine.seen()
    _ = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    #expect(machine.seen().isEmpty, "nobody listens any more")
  }

  @Test func `reconfiguring returns after the last call has left`() throws {
    let ring = EventRing()
    let dispatcher = Dispatcher(ring: ring)
    let blocker = Blocker()
    dispatcher.add(blocker.handlers)
    let kauth = KauthScopes()
    let files = FileSystem(kauth: kauth)
    let monitor = KauthMonitor(kauth, records: KernelRecords(dispatcher: dispatcher))
    let root = files.context(for: process(1, "launchd", uid: 0))
    try monitor.configure(KauthConfiguration.initial)
    let opener = WorkerThread(named: "opener") {
      _ = try? files.open("/a", [.write, .create], as: root)
      blocker.isOver.store(true, ordering: .releasing)
    }
    while !blocker.isInside.load(ordering: .acquiring) { usleep(100) }
    let state = Shared()
    let configurer = WorkerThread(named: "configurer") {
      _ = try? monitor.configure("remove")
      state.isDone.store(true, ordering: .releasing)
    }
    usleep(20_000)
    #expect(!state.done, "a call is inside")
    blocker.mayLeave.store(true, ordering: .releasing)
    configurer.join()
    opener.join()
    #expect(state.done)
    #expect(blocker.count == 1)
    _ = try files.open("/b", [.write, .create], as: root)
    #expect(blocker.count == 1)
  }

  @Test func `a listener that reconfigures itself is refused`() throws {
    let machine = try FilesMachine(hooked: false)
    let monitor = KauthMonitor(machine.kauth, records: machine.records)
    Lane.current.files.listening += 1
    #expect(throws: DarwinErrno.EDEADLK) { try monitor.configure("remove") }
    Lane.current.files.listening -= 1
    try monitor.configure("remove")
  }

  /// Threads open and close while the string changes: under ThreadSanitizer this is the proof of the drain.
  @Test func `the string may change while files are used`() throws {
    let machine = try FilesMachine(hooked: false)
    let monitor = KauthMonitor(machine.kauth, records: machine.records)
    let files = machine.files
    let bash = machine.bash
    let threads = (0..<4).map { number in
      WorkerThread(named: "user \(number)") {
        for _ in 0..<200 {
          if let file = try? files.open("/etc/hosts", .read, as: bash) {
            try? files.close(file, as: bash)
          }
        }
      }
    }
    for round in 0..<50 {
      try monitor.configure(
        round % 2 == 0 ? KauthConfiguration.initial : "add com.apple.kauth.vnode /etc")
    }
    for thread in threads { thread.join() }
    monitor.close()
    #expect(bash.openFiles == 0)
  }
}

private final class Shared: Sendable {
  let isDone = Atomic<Bool>(false)
  var done: Bool { isDone.load(ordering: .acquiring) }
}

/// A handler that stays inside until it may leave.
private final class Blocker: Sendable {
  let isInside = Atomic<Bool>(false)
  let mayLeave = Atomic<Bool>(false)
  let isOver = Atomic<Bool>(false)
  let calls = Atomic<Int>(0)
  var count: Int { calls.load(ordering: .acquiring) }

  var handlers: [Handler] {
    [
      Handler(
        name: "block", pluginID: 7, pluginName: "test", kinds: [FileKind.create.post],
        function: { context, _, _ in
          guard let context else { return -1 }
          let blocker = Unmanaged<Blocker>.fromOpaque(context).takeUnretainedValue()
          blocker.calls.wrappingAdd(1, ordering: .relaxed)
          blocker.isInside.store(true, ordering: .releasing)
          while !blocker.mayLeave.load(ordering: .acquiring) { usleep(100) }
          return 0
        }, context: Unmanaged.passUnretained(self).toOpaque())
    ]
  }
}
