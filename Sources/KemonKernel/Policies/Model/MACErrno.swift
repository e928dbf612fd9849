// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// Errors on their way between policies, which use Darwin's numbers, and records, which carry Linux'.
enum MACErrno {
  /// What a policy returns for an error of a verdict; the number itself when Darwin has none of that name.
  static func darwin(linux number: Int32) -> Int32 {
    ErrnoName.linux(number)?.darwin ?? number
  }

  /// What a record says of an error; the number itself when Linux has none of that name.
  static func linux(darwin number: Int32) -> Int32 {
    guard number != 0 else { return 0 }
    return byDarwin[number] ?? number
  }

  private static let byDarwin = Dictionary(
    ErrnoName.all.compactMap { error in
      error.darwin.flatMap { darwin in error.linux.map { (darwin, $0) } }
    }, uniquingKeysWith: { first, _ in first })
}
