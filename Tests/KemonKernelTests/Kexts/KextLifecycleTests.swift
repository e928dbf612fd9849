// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonKernel

extension OneKernel {
  /// The flows `kext_load` and `kext_unload` of the table of lifecycles, row by row.
  @Suite struct KextLifecycleTests {
    @Test(arguments: KextFlow.all)
    func `each row of the kernel's flow happens, and stops it where it can`(
      _ row: KextFlow
    ) throws {
      let run = try KextRun(row)
      #expect(run.failures == row.failures)
      #expect(run.lines == row.lines)
      #expect(run.runs == row.runs)
      #expect(run.modules == row.modules)
    }

    @Test func `no row of the table is left out`() throws {
      let table = try String(
        contentsOf: Checkout.fixture("Facts/lifecycle.tsv"), encoding: .utf8)
      let rows = table.split(separator: "\n").map { $0.split(separator: "\t").prefix(2) }
        .filter { $0[0].hasPrefix("kext_") }.map { $0.joined(separator: " ") }
      #expect(rows.count == 29)
      #expect(Set(KextFlow.all.flatMap(\.rows)) == Set(rows))
    }

    @Test func `the kernel's own requests are not checked by policies`() throws {
      let row = KextFlow(
        ["kext_load 6"], #"{"id": "a"}"#, #"{"load": "a"}"#, denied: ["load a", "unload a"],
        pid: 0, runs: ["a": "1 1 0 0"], modules: ["a"])
      let run = try KextRun(row)
      #expect(run.failures == [])
      #expect(run.modules == ["a"])
    }

    @Test func `a kext that is not known is refused, or user space is asked`() throws {
      let model = try KernelModel(dispatcher: Dispatcher(ring: EventRing()))
      #expect(model.kexts.request { $0.request("nowhere") } == .error)
      #expect(model.kexts.request { $0.request("nowhere", mayBeDeferred: true) } == .deferred)
      #expect(model.kexts.request { $0.requestRemoval("nowhere") } == .notFound)
      try model.close()
    }

    @Test func `constructors run before anybody is asked`() throws {
      let row = KextFlow(
        ["kext_load 16"], #"{"id": "a"}"#, #"{"load": "a"}"#, refused: ["a"],
        failures: ["0xdc008017"],
        lines: [
          "Kext a start failed (result 0x5).", "Kext a failed to load (0xdc008017).",
          "Failed to load kext a (error 0xdc008017).",
        ], runs: ["a": "1 0 0 1"])
      let run = try KextRun(row)
      #expect(run.runs == row.runs, "the price of a hook at the call of the start routine")
    }
  }
}
