// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonKernel

@Suite struct KauthScopesTests {
  private let kauth = KauthScopes()

  private func ask(_ scope: String) -> Int32 {
    kauth.authorize(scope: scope, action: 1, as: kauth.credential(user: 501, groups: [20]))
  }

  @Test func `a scope has fifteen slots, and a free one is used again`() throws {
    let scope = "org.example.slots"
    #expect(kauth.register(scope: scope))
    let notes = Notes()
    func listen(_ name: String) -> KauthListener? {
      kauth.listen(to: scope) { _ in
        notes.add(name)
        return .defer
      }
    }
    let listeners = try (0..<15).map { try #require(listen("\($0)")) }
    #expect(listen("too many") == nil)
    kauth.unlisten(listeners[3])
    #expect(ask(scope) == DarwinErrno.EPERM.rawValue)
    #expect(notes.take() == (0..<15).filter { $0 != 3 }.map(String.init))
    _ = try #require(listen("late"))
    _ = ask(scope)
    #expect(notes.all[3] == "late", "the order is that of the slots, not that of registration")
    #expect(notes.all.count == 15)
  }

  @Test func `who listens to a scope that is not there waits for it`() throws {
    let scope = "org.example.later"
    let notes = Notes()
    for name in ["first", "second"] {
      _ = try #require(
        kauth.listen(to: scope) { _ in
          notes.add(name)
          return .allow
        })
    }
    #expect(ask(scope) == DarwinErrno.ENOENT.rawValue)
    #expect(kauth.register(scope: scope))
    #expect(!kauth.register(scope: scope), "it is there")
    #expect(ask(scope) == 0)
    #expect(notes.all == ["first", "second"])
  }

  @Test func `a removed listener is not asked, removing it twice does nothing`() throws {
    let scope = "org.example.gone"
    #expect(kauth.register(scope: scope) { _ in .allow })
    let listener = try #require(kauth.listen(to: scope) { _ in .deny })
    #expect(ask(scope) == DarwinErrno.EPERM.rawValue)
    kauth.unlisten(listener)
    kauth.unlisten(listener)
    #expect(ask(scope) == 0)
  }

  @Test func `equal credentials are one object`() {
    let one = kauth.credential(user: 501, groups: [20, 80])
    #expect(kauth.credential(user: 501, groups: [20, 80]) === one)
    #expect(kauth.credential(user: 501, groups: [80, 20]) !== one)
    #expect(kauth.credential(user: 1, groups: Array(0..<40)).groups.count == 16)
  }

  @Test func `only the superuser is the superuser, and a listener can not make one`() throws {
    let generic = KauthScope.generic.rawValue
    #expect(
      kauth.authorize(scope: generic, action: 1, as: kauth.credential(user: 0, groups: [])) == 0)
    _ = try #require(kauth.listen(to: generic) { _ in .allow })
    #expect(ask(generic) == DarwinErrno.EPERM.rawValue)
    _ = try #require(kauth.listen(to: generic) { _ in .deny })
    #expect(
      kauth.authorize(scope: generic, action: 1, as: kauth.credential(user: 0, groups: []))
        == DarwinErrno.EPERM.rawValue)
  }

  @Test func `there are seven file operations, and an eighth since 10.14`() throws {
    let old = FileOperationAction.known(to: .macOS10_13_6)
    #expect(old.count == 7 && !old.contains(.willRename))
    let mojave = try #require(KernelRelease.named("10.14.6"))
    #expect(FileOperationAction.known(to: mojave).count == 8)
  }
}
