// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonFakeHost
import Synchronization
import Testing

@testable import KemonPluginKit

@Suite struct KemonPluginTests {
  /// What the host does with a plugin's table, for a type that is not exported.
  private final class Instance {
    private let pointer: UnsafeMutableRawPointer

    init(_ type: any KemonPlugin.Type, in host: FakeHost) throws {
      var error = kemon_error()
      error.size = UInt32(MemoryLayout<kemon_error>.size)
      guard let pointer = createInstance(of: type, host: host.table, error: &error) else {
        throw Refused(error)
      }
      self.pointer = pointer
    }

    func start() throws {
      var error = kemon_error()
      error.size = UInt32(MemoryLayout<kemon_error>.size)
      guard startInstance(pointer, error: &error) == KEMON_OK else { throw Refused(error) }
    }

    func end() {
      stopInstance(pointer)
      destroyInstance(pointer)
    }
  }

  private struct Refused: Error {
    let text: String
    let code: kemon_status
    let column: UInt32

    init(_ error: kemon_error) {
      text = withUnsafeBytes(of: error.text) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      code = error.code
      column = error.column
    }
  }

  private final class Voting: KemonPlugin {
    init(host: Host) throws {}

    var handlers: [Handler] {
      On("file.open", .pre, filter: "uid == 0", priority: -5, onFault: .deny) { event in
        switch event.subject.pid {
        case 1: .allow
        case 2: .deny(.EACCES, "no")
        case 3: .deny("not permitted")
        case 4: .allowOnly(mask: 0xF0)
        case 5: throw Broken()
        case 6: .deny(.EROFS, String(repeating: "ä", count: 100))
        default: .abstain
        }
      }
      On("file.open", .post, isShadow: true) { _ in .replaceResult(-7, "better") }
    }
  }

  private struct Broken: Error {}

  private func open(_ kind: Int, pid: Int32) -> OwnedRecord {
    OwnedRecord(kind, by: Actor(pid: pid, "x")) { builder in
      let path = builder.text("/x")
      builder.setPayload(kemon_file(dev: 0, ino: 0, flags: 0, mode: 0, path: path))
    }
  }

  @Test func `declarations reach the host as they were written`() throws {
    let host = FakeHost()
    let instance = try Instance(Voting.self, in: host)
    let (pre, post) = (try #require(host.handlers.first), try #require(host.handlers.last))
    #expect(pre.name == "file.open.pre" && pre.kind == "file.open" && pre.phase == .pre)
    #expect(pre.filter == "uid == 0" && pre.priority == -5 && pre.onFault == KEMON_FAIL_DENY)
    #expect(pre.flags == 0)
    #expect(post.name == "file.open.post" && post.filter == nil && post.flags == KEMON_H_SHADOW)
    instance.end()
  }

  @Test func `votes reach the host`() throws {
    let host = FakeHost()
    let instance = try Instance(Voting.self, in: host)
    func answer(_ pid: Int32) throws -> FakeHost.Answer {
      try #require(host.vote(open(KEMON_KIND_FILE_OPEN_PRE, pid: pid)).first)
    }
    #expect(try answer(0).action == .abstain)
    #expect(try answer(1).action == .allow)
    let denial = try answer(2)
    #expect(denial.action == .deny && denial.error == 13 && denial.reason == "no")
    #expect(try answer(3).error == 1)
    let narrow = try answer(4)
    #expect(narrow.action == .modify && narrow.allowMask == 0xF0 && narrow.result == nil)
    let post = try #require(host.vote(open(KEMON_KIND_FILE_OPEN, pid: 1)).first)
    #expect(post.action == .modify && post.result == -7 && post.reason == "better")
    instance.end()
  }

  @Test func `what a handler throws becomes a status`() throws {
    let host = FakeHost()
    let instance = try Instance(Voting.self, in: host)
    let answer = try #require(host.vote(open(KEMON_KIND_FILE_OPEN_PRE, pid: 5)).first)
    #expect(answer.status == KEMON_E_FAILED)
    #expect(answer.action == .abstain)
    instance.end()
  }

  @Test func `a reason is cut between characters`() throws {
    let host = FakeHost()
    let instance = try Instance(Voting.self, in: host)
    let answer = try #require(host.vote(open(KEMON_KIND_FILE_OPEN_PRE, pid: 6)).first)
    #expect(answer.reason == String(repeating: "ä", count: 47))
    instance.end()
  }

  private final class Failing: KemonPlugin {
    init(host: Host) throws { throw ConfigError("deny[2].path", "must be absolute") }

    var handlers: [Handler] { [] }
  }

  @Test func `what init throws is the error's text`() throws {
    let refused = try #require(throws: Refused.self) { try Instance(Failing.self, in: FakeHost()) }
    #expect(refused.text == "deny[2].path: must be absolute")
    #expect(refused.code == KEMON_E_FAILED)
  }

  @Test func `a refused handler is named with the place in its filter`() throws {
    let host = FakeHost()
    host.refusal = (KEMON_E_INVALID, "expected a value", 8)
    let refused = try #require(throws: Refused.self) { try Instance(Voting.self, in: host) }
    #expect(refused.text == "handler file.open.pre: expected a value")
    #expect(refused.column == 8)
  }

  private final class Watching: KemonPlugin {
    static let seen = Mutex<[String]>([])
    private let isBroken: Bool

    init(host: Host) throws {
      isBroken = try host.config.boolean("broken") ?? false
      Self.seen.withLock { $0.append("init \(host.name) \(host.version) \(host.pluginID)") }
      host.log(.warning, "hello")
      host.output?.write("line\n")
    }

    deinit { Self.seen.withLock { $0.append("deinit") } }

    func start() throws {
      if isBroken { throw Broken() }
      Self.seen.withLock { $0.append("start") }
    }

    func stop() { Self.seen.withLock { $0.append("stop") } }

    var handlers: [Handler] {
      for kind in ["file.*", "process.*"] {
        Observe(kind) { event in Self.seen.withLock { $0.append(event.kind.info?.name ?? "?") } }
      }
      if isBroken {
        Observe("kext.start", .post, name: "broken") { _ in throw Broken() }
      } else {
        Observe("*", name: "all") { _ in }
      }
    }
  }

  @Test func `the life of a plugin goes in order and its host is at hand`() throws {
    Watching.seen.withLock { $0 = [] }
    let host = FakeHost()
    let instance = try Instance(Watching.self, in: host)
    try instance.start()
    #expect(host.handlers.map(\.name) == ["observe.file.*", "observe.process.*", "all"])
    #expect(host.handlers.allSatisfy { $0.flags == KEMON_H_OBSERVE })
    host.observe(open(KEMON_KIND_FILE_OPEN, pid: 1))
    instance.end()
    #expect(host.log == ["2 hello"])
    #expect(host.takeOutput() == "line\n")
    #expect(
      Watching.seen.withLock { $0 }
        == ["init fake-host 9.8.7 7", "start", "file.open", "stop", "deinit"])
    let broken = FakeHost(config: ["broken": true])
    let second = try Instance(Watching.self, in: broken)
    #expect(throws: Refused.self) { try second.start() }
    let kext = OwnedRecord(KEMON_KIND_KEXT_START) { _ in }
    #expect(broken.observe(kext).map(\.status) == [KEMON_E_FAILED])
    second.end()
  }

  @Test func `one library exports one plugin to hosts of its ABI`() throws {
    var hello = kemon_hello()
    hello.size = UInt32(MemoryLayout<kemon_hello>.size)
    hello.abi_min = 1 << 16
    hello.abi_max = 1 << 16 | 9
    let table = try #require(exportPlugin(Watching.self, &hello))
    #expect(table == exportPlugin(Watching.self, &hello))
    #expect(table.pointee.abi == 1 << 16)
    #expect(Int(table.pointee.size) == MemoryLayout<kemon_plugin>.size)
    #expect(exportPlugin(Voting.self, &hello) == nil)
    func why() -> String {
      withUnsafeBytes(of: hello.why) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    #expect(why() == "two plugins share one KemonPluginKit: link it statically into each")
    hello.abi_min = 2 << 16
    hello.abi_max = 3 << 16
    #expect(exportPlugin(Watching.self, &hello) == nil)
    #expect(why() == "the plugin speaks ABI 1, the host does not")
    #expect(exportPlugin(Watching.self, nil) == nil)
  }

  @Test func `a host's table that is too short is refused`() throws {
    let host = FakeHost()
    host.table.pointee.size = 40
    let refused = try #require(throws: Refused.self) { try Instance(Voting.self, in: host) }
    #expect(refused.text == "the host's table is too short")
  }
}
