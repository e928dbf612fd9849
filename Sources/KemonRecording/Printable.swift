// SPDX-License-Identifier: Apache-2.0

/// Words of an input that stand in a report: short, and without what a terminal would obey.
enum Printable {
  private static let limit = 40

  static func text(_ word: some StringProtocol) -> String {
    var text = ""
    for scalar in word.unicodeScalars.prefix(limit) {
      text.unicodeScalars.append(
        scalar.properties.generalCategory == .control
          || scalar.properties.generalCategory == .format
          ? "?" : scalar)
    }
    return text
  }
}
