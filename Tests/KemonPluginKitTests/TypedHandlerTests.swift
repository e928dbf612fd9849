// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonFakeHost
import Testing

@testable import KemonPluginKit

/// Handlers whose arguments are the parameters of a closure.
@Suite struct TypedHandlerTests {
  private final class Typed: KemonPlugin {
    init(host: Host) throws {}

    var handlers: [Handler] {
      On("file.open", .pre, fields: "path", "flags", "subject.uid", filter: "pid == 1") {
        (path: RecordText, flags: Int32, uid: UInt32) in
        path == "/etc/shadow" && flags == -3 && uid == 7 ? .deny(.EACCES, "by name") : .abstain
      }
      On("mac.vnode_check_signature", .pre, fields: "signer", "vp", "n", "text", "x") {
        (signer: UInt32?, vp: KernelAddress, n: Double, text: String, x: Int16?) in
        .replaceResult(
          Int64(signer ?? 0) + Int64(vp.rawValue) + Int64(n) + Int64(x ?? 1000), text)
      }
      On("file.open", .post, fields: "path", "event") { (path: RecordText?, event: Event) in
        path == nil && event.kind == EventKind(KEMON_KIND_FILE_OPEN) ? .allow : .abstain
      }
      On("file.close", .post, name: "nothing") { _ in .abstain }
      On("file.delete", .pre, fields: "path") { (_: String) throws in throw Broken() }
    }
  }

  /// As docs/plugins/typed.md shows it.
  private final class Documented: KemonPlugin {
    init(host: Host) throws {}

    var handlers: [Handler] {
      On("file.open", .pre, fields: "path", "flags", "subject.uid", onFault: .deny) {
        (path: RecordText, flags: Int32, uid: UInt32) in
        path == "/etc/shadow" && uid != 0 ? .deny(.EACCES, "for root only") : .abstain
      }
      On("mac.vnode_check_signature", .pre, fields: "flags", "signer_type") {
        (flags: Int32, signer: KernelAddress?) in
        signer != nil && flags & 0x10 != 0 ? .deny(.EPERM, "flag 0x10") : .abstain
      }
    }
  }

  private final class Mismatched: KemonPlugin {
    init(host: Host) throws {}
    var handlers: [Handler] {
      On("file.open", .pre, fields: "path", "flags") { (_: String) in .abstain }
    }
  }

  private struct Broken: Error {}

  private func create(_ type: any KemonPlugin.Type, in host: FakeHost) throws -> PluginInstance {
    try PluginInstance(type, host: host.table)
  }

  @Test func `the signature follows from the parameters`() throws {
    let host = FakeHost()
    let instance = try create(Typed.self, in: host)
    #expect(
      host.handlers.map(\.signature) == [
        "[path:b flags:i subject.uid:I]", "[signer?:*I vp:p n:d text:b x?:*h]",
        "[path?:b event:e]", nil, "[path:b]",
      ])
    #expect(host.handlers[0].filter == "pid == 1")
    withExtendedLifetime(instance) {}
  }

  @Test func `the parameters are what the host passes`() throws {
    let host = FakeHost()
    let instance = try create(Typed.self, in: host)
    defer { withExtendedLifetime(instance) {} }
    "/etc/shadow".withCString { path in
      let words = [UInt64(UInt(bitPattern: path)), 11, UInt64(bitPattern: -3), 7]
      #expect(host.vote("file.open.pre", words: words)?.action == .deny)
      #expect(host.vote("file.open.pre", words: words.dropLast() + [8])?.action == .abstain)
    }
    let (signer, number) = (UInt64(5), UInt64(bitPattern: Int64(-2)))
    withUnsafePointer(to: signer) { signer in
      withUnsafePointer(to: number) { number in
        "why".withCString { text in
          let vp: UInt64 = 100
          let words = [
            UInt64(UInt(bitPattern: signer)), vp, 40.0.bitPattern, UInt64(UInt(bitPattern: text)),
            3, UInt64(UInt(bitPattern: number)),
          ]
          let answer = host.vote("mac.vnode_check_signature.pre", words: words)
          #expect(answer?.result == 143 && answer?.reason == "why")
          let missing = host.vote(
            "mac.vnode_check_signature.pre",
            words: [0, vp, 0, words[3], 3, 0])
          #expect(missing?.result == 1100)
        }
      }
    }
    let record = OwnedRecord(KEMON_KIND_FILE_OPEN, by: Actor(pid: 1, "x")) { _ in }
    let event = UInt64(UInt(bitPattern: record.view.event))
    #expect(host.vote("file.open.post", words: [0, 0, event])?.action == .allow)
    #expect(host.vote("file.delete.pre", words: [0, 0])?.status == KEMON_E_FAILED)
  }

  @Test func `the documented plugin denies`() throws {
    let host = FakeHost()
    let instance = try create(Documented.self, in: host)
    defer { withExtendedLifetime(instance) {} }
    let signer: UInt64 = 5
    withUnsafePointer(to: signer) { signer in
      let name = "mac.vnode_check_signature.pre"
      let there = UInt64(UInt(bitPattern: signer))
      #expect(host.vote(name, words: [0x10, there])?.action == .deny)
      #expect(host.vote(name, words: [0x10, 0])?.action == .abstain)
    }
  }

  @Test func `as many names as parameters are needed`() throws {
    let error = #expect(throws: RegistrationError.self) {
      try create(Mismatched.self, in: FakeHost())
    }
    #expect(error?.description == "handler file.open.pre: 2 fields for 1 parameters")
  }
}
