// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents

@testable import KemonKernel

/// What happened in a model of its own when a case of the kernel's flows was played.
struct KextRun {
  /// The codes of the steps that failed.
  let failures: [String]
  /// What the kernel logged.
  let lines: [String]
  /// By identifier: how often constructors, start, stop and destructors ran.
  let runs: [String: String]
  /// What is loaded in the end.
  let modules: [String]

  init(_ row: KextFlow) throws {
    let ring = EventRing()
    let dispatcher = Dispatcher(ring: ring)
    let subscription = try ring.subscribe(named: "test", overflow: .drop)
    let rules = Rules(
      denied: Dictionary(uniqueKeysWithValues: row.refused.map { ($0, 1) }),
      replaced: Dictionary(uniqueKeysWithValues: row.replaced.map { ($0, 0x1f) }))
    let tokens = dispatcher.add(rules.handlers)
    let accessDenied: Int32 = 13
    let model = try KernelModel(
      release: .macOS10_13_6, dispatcher: dispatcher,
      kextChecks: KextChecks(
        load: { row.denied.contains("load \($0)") ? accessDenied : 0 },
        unload: { row.denied.contains("unload \($0)") ? accessDenied : 0 }))
    let result = try model.run(try row.session())
    modules = model.kexts.modules.map(\.id)
    try model.close()
    dispatcher.remove(tokens)
    failures = result.steps.compactMap(\.outcome.failure)
    lines = drain(subscription).filter { $0.kind == "kernel.log" && $0.source == "kernel" }
      .map(\.text)
    runs = Dictionary(
      uniqueKeysWithValues: result.kexts.map { kext in
        let runs = kext.runs
        return (
          kext.id, "\(runs.constructors) \(runs.start) \(runs.stop) \(runs.destructors)"
        )
      })
  }
}
