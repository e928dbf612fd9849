// SPDX-License-Identifier: Apache-2.0

internal import CCapstone

/// Text of code for processors on which nothing is hooked: arm64.
public enum ForeignListing {
  /// The lines of some instructions in the form of ``Instruction/description``, as far as they can be decoded.
  ///
  /// - Parameters:
  ///   - code: little-endian arm64 instructions.
  ///   - address: where they stand.
  ///   - count: how many lines at most.
  public static func arm64(_ code: [UInt8], at address: UInt64, count: Int) -> [String] {
    var handle: csh = 0
    guard cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &handle) == CS_ERR_OK else { return [] }
    defer { cs_close(&handle) }
    guard let instruction = cs_malloc(handle) else { return [] }
    defer { cs_free(instruction, 1) }
    return code.withUnsafeBufferPointer { bytes in
      var next = bytes.baseAddress
      var left = bytes.count
      var position = address
      var lines: [String] = []
      while lines.count < count, cs_disasm_iter(handle, &next, &left, &position, instruction) {
        let texts = UnsafeRawPointer(instruction)
        let mnemonic = InstructionText.string(texts, at: \.mnemonic).uppercased()
        let operands = InstructionText.string(texts, at: \.op_str).uppercased()
        let place = bytes.count - left - 4
        let digits = bytes[place..<place + 4].map { byte in
          byte < 16 ? "0\(String(byte, radix: 16))" : String(byte, radix: 16)
        }
        lines.append(
          "(04) \(digits.joined()) " + (operands.isEmpty ? mnemonic : "\(mnemonic) \(operands)"))
      }
      return lines
    }
  }
}
