// SPDX-License-Identifier: Apache-2.0

import KemonBus
import Testing

@testable import KemonKernel

extension OneKernel {
  @Suite struct SessionLibraryTests {
    @Test(arguments: Session.shippedNames)
    func `a session that comes with Kemon can be played`(_ name: String) throws {
      let session = try #require(Session.shipped(name))
      #expect(session.name == name)
      #expect(!session.about.isEmpty)
      #expect(!session.about.contains("\n"))
      let (result, seen) = try play(session)
      #expect(result.steps.count == session.steps.count)
      #expect(!seen.isEmpty)
    }

    @Test func `no name is there twice, and none is made up`() {
      #expect(Set(Session.shippedNames).count == Session.shippedNames.count)
      #expect(Session.shipped("nowhere") == nil)
    }

    @Test func `a mixed day has all families, and ends as it should`() throws {
      let (result, seen) = try play(try #require(Session.shipped("mixed-day")))
      let failures = result.steps.compactMap(\.outcome.failure)
      #expect(failures == ["EACCES", "0xdc008004"])
      let families = Set(seen.map { $0.kind.prefix { $0 != "." } })
      #expect(families.isSuperset(of: ["file", "kext", "mac", "net"]))
    }

    @Test func `the lifecycle of kexts fails where it should`() throws {
      let (result, _) = try play(try #require(Session.shipped("kext-lifecycle")))
      #expect(
        result.steps.map { $0.outcome.failure ?? "ok" } == [
          "0xdc008004", "ok", "ok", "0xdc008017", "0xdc008017", "0xdc008013", "0xdc00800e",
          "0xdc008018", "ok", "ok", "ok", "ok",
        ])
      #expect(result["com.example.driver"]?.runs.start == 2)
      #expect(result["com.example.driver"]?.runs.stop == 2)
    }
  }
}
