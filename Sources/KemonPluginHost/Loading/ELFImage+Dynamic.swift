// SPDX-License-Identifier: Apache-2.0

/// What the dynamic linker would see.
extension ELFImage {
  /// Whether the stack of a process that loads the library becomes executable.
  ///
  /// Without a PT_GNU_STACK segment the kernel's default applies, which is executable.
  var asksForExecutableStack: Bool {
    guard let stack = segments.first(where: { $0.type == ELF.segmentStack }) else { return true }
    return stack.flags & ELF.segmentExecutable != 0
  }

  /// Entries of the dynamic section: tag and value.
  private func dynamicEntries() throws(BrokenRule) -> (
    entries: [(UInt64, UInt64)], strings: ELFBytes
  ) {
    guard let section = sections.first(where: { $0.type == ELF.sectionDynamic }) else {
      throw BrokenRule(rule: .elfSections, found: "no dynamic section", needed: "one")
    }
    let table = ELFBytes(try contents(of: section))
    var entries: [(UInt64, UInt64)] = []
    for row in stride(from: 0, to: table.count - ELF.dynamicSize + 1, by: ELF.dynamicSize) {
      let tag = try table.u64(row)
      if tag == 0 { break }
      entries.append((tag, try table.u64(row + 8)))
    }
    return (entries, try strings(linkedFrom: section))
  }

  /// Names of the libraries that it needs, in the order of the file.
  func neededLibraries() throws(BrokenRule) -> [String] {
    let (entries, strings) = try dynamicEntries()
    var names: [String] = []
    for (tag, value) in entries where tag == ELF.dynamicNeeded {
      names.append(try strings.string(value))
    }
    return names
  }

  /// Folders where the linker looks for those libraries.
  func runPaths() throws(BrokenRule) -> [String] {
    let (entries, strings) = try dynamicEntries()
    var paths: [String] = []
    for (tag, value) in entries where tag == ELF.dynamicRunPath || tag == ELF.dynamicRPath {
      let text = try strings.string(value)
      paths += text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    }
    return paths
  }

  /// Whether code pages must be made writable to load the library.
  func hasTextRelocations() throws(BrokenRule) -> Bool {
    try dynamicEntries().entries.contains { tag, value in
      tag == ELF.dynamicTextRelocations
        || (tag == ELF.dynamicFlags && value & ELF.flagTextRelocations != 0)
    }
  }

  /// Whether a function of that name is defined and visible outside.
  func exports(_ name: String) throws(BrokenRule) -> Bool {
    for section in sections where section.type == ELF.sectionSymbols {
      let strings = try strings(linkedFrom: section)
      let table = ELFBytes(try contents(of: section))
      for row in stride(from: 0, to: table.count - ELF.symbolSize + 1, by: ELF.symbolSize) {
        guard strings.matches(UInt64(try table.u32(row)), name) else { continue }
        let info = try table.u8(row + 4)
        let visibility = try table.u8(row + 5) & 3
        let definedIn = try table.u16(row + 6)
        // A defined (not SHN_UNDEF) function (STT_FUNC) that is global or weak and has default or protected
        // visibility.
        let isGlobal = info >> 4 == 1 || info >> 4 == 2
        if definedIn != 0, info & 0xF == 2, isGlobal, visibility == 0 || visibility == 3 {
          return true
        }
      }
    }
    return false
  }

  private func strings(linkedFrom section: Section) throws(BrokenRule) -> ELFBytes {
    guard Int(section.link) < sections.count,
      sections[Int(section.link)].type == ELF.sectionStrings
    else {
      throw BrokenRule(
        rule: .elfSections,
        found: "section \(section.name) with its texts in section \(section.link)",
        needed: "a section of texts")
    }
    return ELFBytes(try contents(of: sections[Int(section.link)]))
  }
}
