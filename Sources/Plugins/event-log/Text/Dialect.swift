// SPDX-License-Identifier: Apache-2.0

/// Whose lines to write: the original changed its wording after the first release.
enum Dialect: String, CaseIterable {
  /// The first release, which the slides show.
  case year2018 = "2018"
  /// The last release.
  case year2019 = "2019"

  /// What every line of an event begins with.
  static let prefix: StaticString = "[Kemon.kext] : "
  /// In 2019 a kext or policy line of this length, its end counted, became shorter.
  static let longLine = 240

  /// What stands before the name of a handler.
  var the: StaticString { self == .year2018 ? "" : "the " }
  /// What instructions are indented with.
  var listingIndent: StaticString { self == .year2018 ? "" : "               " }
}
