// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform

/// What fills the space between two functions.
struct Padding {
  let bytes: [UInt8]
  /// The same to the end of the last instruction; nil when some of it traps.
  let nops: [UInt8]?

  #if arch(x86_64) && os(Linux)
    /// Reads what stands behind a function, if it is proven to be padding: to where the next function begins or may begin
    /// nothing does anything, and nothing is known to be there.
    init?(behind function: FunctionCode, upTo end: UInt, in index: BranchIndex) {
      guard end > function.end else { return nil }
      let range = function.end..<end
      let aligned = (function.end &+ 15) & ~15
      let next = Self.next(behind: function.end, in: index) ?? .max
      let proof = function.end..<max(end, min(aligned, next))
      guard index.code.map.isCode(proof), Self.isNobodys(proof, in: index),
        Self.length(of: proof) != nil, let whole = Self.length(of: range)
      else { return nil }
      bytes = TextPatcher.read(range)
      nops =
        whole.traps
        ? nil : TextPatcher.read(range.lowerBound..<(range.lowerBound &+ UInt(whole.size)))
    }

    /// Where the next function begins, as far as the object's table knows.
    private static func next(behind address: UInt, in index: BranchIndex) -> UInt? {
      guard let table = index.table(of: address) else { return nil }
      return table[table.row(of: address) + 1]?.start
    }

    /// Whether no function is known to begin or to lie there.
    static func isNobodys(_ range: Range<UInt>, in index: BranchIndex) -> Bool {
      if let table = index.table(of: range.lowerBound) {
        let row = table.row(of: range.lowerBound)
        for extent in [table[row], table[row + 1]] {
          if let extent, extent.range.overlaps(range) { return false }
        }
      }
      guard !range.contains(where: { FunctionExtent.isCovered($0) }) else { return false }
      return !FunctionExtent.hasSymbol(in: range)
    }

    /// How many bytes of whole instructions that do nothing cover a range; nil when something else stands there.
    static func length(of range: Range<UInt>) -> (size: Int, traps: Bool)? {
      var offset = 0
      var traps = false
      while offset < range.count {
        // A longer nop goes on behind the end; what is on the next page need not exist.
        let place = range.lowerBound &+ UInt(offset)
        let end = max(range.upperBound, min(range.upperBound &+ 11, (place | 0xFFF) &+ 1))
        let rest = UnsafeRawBufferPointer(
          start: UnsafeRawPointer(bitPattern: place), count: Int(end &- place))
        if rest[0] == 0xCC {
          traps = true
          offset += 1
          continue
        }
        guard let form = MachineCode(rest), form.isNothing(rest) else { return nil }
        offset += form.length
      }
      return (offset, traps)
    }
  #endif
}

/// Five bytes of padding between two functions, where a jump to a stub may stand.
struct Cave: Equatable {
  let address: UInt
  /// What stands there.
  let original: [UInt8]

  var range: Range<UInt> { address..<(address &+ UInt(original.count)) }

  #if arch(x86_64) && os(Linux)
    /// Finds padding that a `jmp rel8` reaches.
    ///
    /// Proven to be nobody's: it lies between two functions, the first of which does not run on into it; it does nothing;
    /// no symbol, no branch of the functions around it and no other hook is there.
    ///
    /// - Parameter place: where the short jump stands.
    init?(near place: UInt, in index: BranchIndex, besides patched: PatchedSites) {
      guard let table = index.table(of: place) else { return nil }
      let origin = place &+ 2
      let reach = (origin &- 128)..<(origin &+ 128)
      let row = table.row(of: place)
      // The space behind the own function first, then behind those in front and those that follow.
      let rows = [row] + (1...8).flatMap { [row - $0, row + $0] }
      for candidate in rows {
        guard let function = table[candidate], let next = table[candidate + 1],
          let found = Self(between: function, next, reach, index, patched)
        else { continue }
        self = found
        return
      }
      return nil
    }

    private init?(
      between function: FunctionExtent, _ next: FunctionExtent, _ reach: Range<UInt>,
      _ index: BranchIndex, _ patched: PatchedSites
    ) {
      let size = UInt(PatchWindow.jumpSize)
      let start = max(function.range.upperBound, reach.lowerBound)
      guard function.range.upperBound <= next.start, start < reach.upperBound,
        start &+ size <= next.start
      else { return nil }
      let range = start..<(start &+ size)
      let space = function.range.upperBound..<range.upperBound
      guard index.code.map.isCode(space), patched.claims(in: range).isEmpty,
        Padding.length(of: space) != nil, Padding.isNobodys(space, in: index),
        index.reading(of: function)?.endsFlow == true,
        !Self.isTarget(range, around: function, in: index)
      else { return nil }
      address = range.lowerBound
      original = TextPatcher.read(range)
    }

    private static func isTarget(
      _ range: Range<UInt>, around function: FunctionExtent, in index: BranchIndex
    ) -> Bool {
      var isTarget = false
      func look(_ extent: FunctionExtent) {
        guard let reading = index.reading(of: extent) else { return }
        isTarget = isTarget || index.outer(of: reading).contains { range.contains($0.target) }
      }
      look(function)
      index.table(of: function.start)?.neighbours(of: function, look)
      return isTarget
    }
  #endif
}
