// SPDX-License-Identifier: Apache-2.0

import KemonKernel

/// What a session came to, for people.
enum StepReport {
  /// How many failed steps are printed.
  private static let limit = 20

  /// The lines of the summary: how many steps there were, which failed, and what became of the kexts.
  ///
  /// - Parameter all: also those that did not fail.
  static func lines(_ result: SessionResult, all: Bool) -> [(String, String)] {
    let failed = result.steps.filter { $0.outcome.failure != nil }
    let shown = all ? result.steps[...] : failed.prefix(limit)
    var lines = [
      ("steps", "\(result.steps.count.grouped), \(failed.count.grouped) of them failed")
    ]
    lines += shown.map { ("", describe($0)) }
    if !all, failed.count > limit {
      lines.append(("", "… and \((failed.count - limit).grouped) more"))
    }
    if !result.kexts.isEmpty {
      lines.append(("kexts", result.kexts.map(describe).joined(separator: ", ")))
    }
    return lines
  }

  private static func describe(_ result: StepResult) -> String {
    let outcome = [result.outcome.failure ?? "ok", result.outcome.text]
    return "line \(result.step.line): \(result.step.process.name): \(result.step.text): "
      + outcome.filter { !$0.isEmpty }.joined(separator: ", ")
  }

  private static func describe(_ outcome: KextOutcome) -> String {
    outcome.isLoaded ? "\(outcome.id) loaded" : "\(outcome.id) failed (\(outcome.result))"
  }
}
