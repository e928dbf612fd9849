// SPDX-License-Identifier: Apache-2.0

import KemonFakeHost
import Testing

@testable import KemonPluginKit

@Suite(.serialized) struct MutingTests {
  private static let asked = Asked()
  nonisolated(unsafe) private static let table = permanent(
    kemon_ext_mute(
      size: UInt32(MemoryLayout<kemon_ext_mute>.size), reserved: 0,
      subject: { _, token, pid, start in
        MutingTests.asked.note("process \(pid) \(start) of \(token)")
        return pid == 99 ? KEMON_E_FULL : KEMON_OK
      },
      path: { _, token, prefix in
        MutingTests.asked.note("path \(prefix.map { String(cString: $0) } ?? "") of \(token)")
        return prefix?.pointee == 0 ? KEMON_E_INVALID : KEMON_OK
      },
      clear: { _, token in
        MutingTests.asked.note("clear \(token)")
        return KEMON_OK
      },
      invalidate: { _ in
        MutingTests.asked.note("invalidate")
        return KEMON_OK
      }))

  private let host: FakeHost

  init() {
    host = FakeHost()
    host.tables[KEMON_EXT_MUTE] = Self.table
    _ = Self.asked.take()
  }

  private final class Quiet: KemonPlugin {
    let muting: Muting
    let (busy, other): (MutedHandler, MutedHandler)

    init(host: Host) throws {
      guard let muting = host.muting else { throw ConfigError("", "needs kemon.mute/1") }
      self.muting = muting
      other = muting.handler("file.delete.pre")
      busy = muting.handler("busy")
      let early = busy
      let refusal = #expect(throws: HostRefusal.self) { try early.clear() }
      #expect(refusal?.status == KEMON_E_STATE)
    }

    var handlers: [Handler] {
      On("file.delete", .pre) { _ in .abstain }
      On("file.open", .pre, name: "busy") { [busy] event in
        try busy.mute(processOf: event) ? .allow : .abstain
      }
    }
  }

  @Test func `a handler is muted by its name`() throws {
    let instance = try run(Quiet.self, in: host)
    let plugin = try #require(instance.plugin as? Quiet)
    #expect(host.vote(opening(pid: 5)).map(\.action) == [.allow])
    #expect(host.vote(opening(pid: 99)).map(\.action) == [.abstain], "too many are muted")
    try plugin.other.mute(pathsBeginningWith: "/usr/")
    try plugin.other.clear()
    try plugin.muting.invalidate()
    #expect(throws: HostRefusal.self) { try plugin.busy.mute(pathsBeginningWith: "") }
    let calls = Self.asked.take()
    #expect(calls.count == 6)
    #expect(calls[0].hasPrefix("process 5 ") && calls[0].hasSuffix(" of 2"))
    #expect(calls[1].hasPrefix("process 99 "))
    #expect(
      Array(calls.dropFirst(2)) == ["path /usr/ of 1", "clear 1", "invalidate", "path  of 2"])
  }

  private final class Misspelt: KemonPlugin {
    init(host: Host) throws { _ = host.muting?.handler("opne") }
    var handlers: [Handler] { On("file.open", .pre, name: "open") { _ in .abstain } }
  }

  @Test func `a name that no handler has is refused`() throws {
    let error = #expect(throws: RegistrationError.self) { try run(Misspelt.self, in: host) }
    #expect(error?.description == "handler opne: to be muted, but there is none")
  }

  @Test func `a host without the extension has none`() {
    let poor = FakeHost()
    #expect(Host(poor.table).muting == nil)
    withExtendedLifetime(poor) {}
  }
}
