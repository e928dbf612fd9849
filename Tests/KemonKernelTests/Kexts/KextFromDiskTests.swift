// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

@testable import KemonKernel

extension OneKernel {
  @Suite struct KextFromDiskTests {
    private func session(_ file: String) throws -> Session {
      let json = """
        {"name": "disk", "process": {"pid": 59, "uid": 0, "comm": "kextd"},
         "steps": [{"load": {"file": "\(file)"}}]}
        """
      return try Session(
        json: Array(json.utf8), file: Checkout.fixture("Kexts/session.json").path)
    }

    @Test func `a kext on disk is loaded, and plugins are asked`() throws {
      let (result, seen) = try play(try session("linked-x86_64"))
      #expect(result.steps.map(\.outcome) == [.done("com.example.linked")])
      let pre = try #require(seen.first { $0.kind == "kext.start" })
      #expect(pre.name == "com.example.linked")
      #expect(pre.version == "1.0.2")
      #expect(pre.base == Session.Kext.firstBase)
      #expect(pre.size == 0x2238)
      #expect(pre.path == Checkout.fixture("Kexts/linked-x86_64").path)
    }

    @Test func `a denied kext on disk is not started`() throws {
      let (result, _) = try play(
        try session("linked-x86_64"), Rules(denied: ["com.example.linked": 1]))
      #expect(result.steps.map(\.outcome.failure) == ["0xdc008017"])
      #expect(result["com.example.linked"]?.bodyRuns == 0)
    }

    @Test(arguments: [
      ("linked-arm64", "no whole slice for x86_64"), ("linked.c", "needed is 0xfeedfacf"),
      ("nowhere.kext", "cannot be read: No such file or directory"),
    ])
    func `what is no kext of this machine is refused`(_ file: String, _ reason: String) throws {
      let (result, seen) = try play(try session(file))
      #expect(result.steps.map(\.outcome.failure) == ["0xdc008007"])
      #expect(result.steps[0].outcome.text.contains(reason), "\(result.steps[0].outcome.text)")
      #expect(!seen.contains { $0.kind == "kext.start" })
    }
  }
}
