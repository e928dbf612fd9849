// SPDX-License-Identifier: Apache-2.0

internal import KemonHooks

extension KextImage {
  /// The first instructions of its start routine, one a line, as Kemon logs them: `(01) 55 PUSH RBP`.
  ///
  /// Ends early at bytes that are no instruction, and behind a return.
  ///
  /// - Parameter count: how many at most; the original's decoder made 15 at a time.
  public func startListing(count: Int = 15) -> [String] {
    guard let start else { return [] }
    guard architecture.isIntel else {
      return ForeignListing.arm64(startCode, at: start, count: count)
    }
    var lines: [String] = []
    startCode.withUnsafeBytes { code in
      var offset = 0
      while lines.count < count, offset < code.count {
        let rest = UnsafeRawBufferPointer(rebasing: code[offset...])
        guard
          let instruction = try? Disassembler().instruction(
            in: rest, at: UInt(truncatingIfNeeded: start) &+ UInt(offset))
        else { break }
        lines.append(instruction.description)
        offset += instruction.bytes.count
        let isReturn = instruction.bytes[0] == 0xC3
        if isReturn { break }
      }
    }
    return lines
  }
}
