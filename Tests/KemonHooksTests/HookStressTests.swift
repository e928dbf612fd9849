// SPDX-License-Identifier: Apache-2.0

import CHookCorpus
import Glibc
import KemonHooks
import Testing

/// Hooks come and go while threads call the function without a pause.
///
/// KEMON_STRESS_SECONDS says how long each of the nine runs is; `make stress-hooks` sets it.
@Suite(.serialized) struct HookStressTests {
  static let seconds = getenv("KEMON_STRESS_SECONDS").flatMap { Double(String(cString: $0)) } ?? 0.3

  @Test(arguments: StressKind.allCases, [2, 4, 8])
  func `hooks come and go under calling threads`(_ kind: StressKind, _ threads: Int) throws {
    let run = try #require(StressRun(kind, callers: threads))
    let report = run.run(seconds: Self.seconds)
    if getenv("KEMON_STRESS_SECONDS") != nil { print(report.text) }
    #expect(report.failure == nil)
    #expect(report.cycles > 0)
    #expect(report.calls > 0)
    #expect(report.wrong == 0)
    #expect(report.pre == report.post)
    #expect(report.unpaired == 0)
    if kind == .retry { #expect(report.number == report.added) }
  }
}

/// What is called and what the handlers do.
enum StressKind: String, CaseIterable, Sendable {
  case plain
  case retry
  case allocating

  /// Of hook_stress.h.
  var function: Int32 { self == .retry ? Int32(STRESS_RETRY) : Int32(STRESS_PLAIN) }
}
