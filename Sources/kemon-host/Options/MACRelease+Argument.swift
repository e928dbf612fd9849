// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import KemonKernel
import KemonText

extension MACRelease {
  /// Reads a release; a version number of the table is refused, as it may stand for several.
  static func parse(_ text: String) throws -> MACRelease {
    if let release = named(text) { return release }
    let number = Int(text.drop { $0 == "v" })
    let same = number.map { number in all.filter { $0.opsVersion == number } } ?? []
    if let first = same.first, let last = same.last {
      let tables = Set(same.map(\.table.name)).count
      let kinds = tables == 1 ? "one table" : "\(tables) different tables"
      throw ValidationError(
        "\(text) is a version number, not a release: \(first.version) to \(last.version) have it, "
          + "with \(kinds)")
    }
    let names = all.flatMap { [$0.version, $0.xnu] }
    let near = NearNames.of(text, among: names)
    throw ValidationError(
      "no published kernel of release \(text)"
        + (near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?")
        + " `kemon-host mac tables` lists all")
  }
}
