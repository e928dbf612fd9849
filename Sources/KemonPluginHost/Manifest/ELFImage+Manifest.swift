// SPDX-License-Identifier: Apache-2.0

import KemonEvents

extension ELFImage {
  /// More than a manifest can sensibly say.
  static let manifestLimit = 64 * 1024

  /// The JSON text of the manifest, from the section of its own.
  func manifestText() throws(BrokenRule) -> [UInt8] {
    let found = sections.filter { $0.name == KEMON_MANIFEST_SECTION }
    guard let section = found.first else {
      throw BrokenRule(
        rule: .manifestMissing, found: "no section \(KEMON_MANIFEST_SECTION)",
        needed: "KEMON_MANIFEST(…) in one source file")
    }
    guard found.count == 1 else {
      throw BrokenRule(
        rule: .manifestTwice, found: "\(found.count) sections \(KEMON_MANIFEST_SECTION)",
        needed: "one")
    }
    guard section.flags & ELF.sectionCompressed == 0 else {
      throw BrokenRule(
        rule: .manifestJSON, found: "a compressed section", needed: "the text itself")
    }
    guard section.size <= Self.manifestLimit else {
      throw BrokenRule(
        rule: .manifestSize, found: "\(section.size) bytes",
        needed: "at most \(Self.manifestLimit)")
    }
    let bytes = try contents(of: section)
    // C strings bring a NUL, and the linker may pad with more; text behind a NUL is another manifest.
    let texts = bytes.split(separator: 0)
    guard texts.count <= 1 else {
      throw BrokenRule(
        rule: .manifestTwice, found: "\(texts.count) texts in \(KEMON_MANIFEST_SECTION)",
        needed: "one: KEMON_MANIFEST(…) in one source file only")
    }
    guard let text = texts.first else {
      throw BrokenRule(
        rule: .manifestMissing, found: "an empty section \(KEMON_MANIFEST_SECTION)",
        needed: "KEMON_MANIFEST(…) with a JSON object")
    }
    return Array(text)
  }
}
