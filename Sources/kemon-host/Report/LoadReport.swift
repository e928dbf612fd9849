// SPDX-License-Identifier: Apache-2.0

import KemonKernel

/// What a generated load came to, for people.
enum LoadReport {
  /// A line of the summary for each family.
  static func lines(_ result: GeneratedLoad.Result) -> [(String, String)] {
    result.parts.enumerated().map { index, part in
      (
        index == 0 ? "load" : "",
        "\(part.family): \(part.operations.grouped) operations, \(part.failures.grouped) of them failed"
      )
    }
  }
}
