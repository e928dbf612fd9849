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
      #expect(families.isSuperset(of: ["dylib", "file", "kext", "mac", "net", "process"]))
    }

    @Test func `the life of processes fails where it should`() throws {
      let (result, _) = try play(try #require(Session.shipped("processes")))
      #expect(
        result.steps.compactMap { step -> String? in
          guard step.step.name != "file", step.step.name != "image" else { return nil }
          return [step.step.name, step.outcome.failure ?? step.outcome.text]
            .filter { !$0.isEmpty }.joined(separator: " ")
        } == [
          "spawn", "fork", "exec", "exec ENOEXEC", "exec ENOENT", "trace", "trace EPERM", "trace",
          "wait none has ended", "exit", "wait process 701 ended, status 2", "kill EPERM", "kill",
          "wait process 700 ended, signal 15",
        ])
    }

    @Test func `libraries come into processes, and pages are found out later`() throws {
      let (result, seen) = try play(try #require(Session.shipped("dylibs")))
      #expect(
        result.steps.filter { $0.step.name != "image" }.map { step in
          [step.step.name, step.outcome.failure ?? step.outcome.text]
            .filter { !$0.isEmpty }.joined(separator: " ")
        } == [
          "dlopen from the shared cache", "fork", "exec", "dlopen", "dlopen", "touch_page tainted",
          "dlopen dyld", "fork", "exec", "dlopen", "touch_page good", "touch_page killed",
          "wait process 701 ended, signal 9, reason 3.2",
        ])
      #expect(seen.filter { $0.kind == "dylib.map" }.count == 4)
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
