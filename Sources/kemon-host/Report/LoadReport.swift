// SPDX-License-Identifier: Apache-2.0

import KemonKernel

/// What a generated load came to, for people and for the benchmark of the model.
enum LoadReport {
  /// Lines of the summary: how fast it was, and what each family did.
  static func lines(
    _ result: GeneratedLoad.Result, duration: Duration
  ) -> [(String, String)] {
    let nanoseconds = max(
      Double(duration.components.seconds) * 1e9
        + Double(duration.components.attoseconds) / 1e9, 1)
    let operations = result.parts.reduce(0) { $0 + $1.operations }
    let speed =
      "\(operations.grouped) operations in \(KemonHostText.nanoseconds(nanoseconds)), "
      + "\(KemonHostText.nanoseconds(nanoseconds / Double(max(operations, 1)))) each, "
      + "\(KemonHostText.rate(Double(result.events) * 1e9 / nanoseconds)) events"
    return [("load", speed)]
      + result.parts.map { part in
        (
          "",
          "\(part.family): \(part.operations.grouped) operations, "
            + "\(part.failures.grouped) of them failed"
        )
      }
  }

  static func describe(_ amount: GeneratedLoad.Amount) -> String {
    switch amount {
    case .events(let count): "\(count.grouped) events"
    case .operations(let count): "\(count.grouped) operations"
    }
  }
}
