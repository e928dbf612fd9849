// SPDX-License-Identifier: Apache-2.0

import CHookCorpus

/// A call of a library's function whose results are known to depend on its arguments alone.
struct ExportCall {
  /// What a call leaves behind.
  struct Outcome: Equatable {
    let result: UInt64?
    let vector: [UInt64]
    let memory: [UInt8]
  }

  /// What a function takes.
  private enum Shape {
    /// Two texts and a number.
    case texts
    /// Numbers.
    case integers
    /// Real numbers, and places for more results; nothing but vectors and memory is looked at.
    case reals
  }

  private let shape: Shape
  private let isSmall: Bool

  /// Texts at the two ends of some memory, NUL behind each.
  private static let memory: [UInt8] = {
    var bytes = [UInt8](repeating: 0, count: 512)
    for (index, byte) in "The quick brown fox jumps over 13 lazy dogs".utf8.enumerated() {
      bytes[64 + index] = byte
    }
    for (index, byte) in "quick brown 42 foxes".utf8.enumerated() { bytes[256 + index] = byte }
    return bytes
  }()

  /// Tells how a function can be called; nil when nothing is known of it.
  init?(_ name: String, of library: String) {
    isSmall = name.hasSuffix("f") || name.contains("f32")
    if library.hasPrefix("libm") {
      // The environment of real numbers must stay as it is.
      guard !name.hasPrefix("fe"), !name.hasPrefix("__fe") else { return nil }
      // Results of long double are in a register that is not looked at.
      guard !name.contains("f64x"), !name.contains("l_"), !name.hasSuffix("l") || name == "ceil"
      else { return nil }
      // A place would be taken for a count, and counted to.
      guard !name.contains("jn"), !name.contains("yn") else { return nil }
      shape = .reals
    } else if Self.texts.contains(name) {
      shape = .texts
    } else if Self.integers.contains(name) {
      shape = .integers
    } else {
      return nil
    }
  }

  /// Functions of two texts, the first of which may be written to, and a number.
  private static let texts: Set = [
    "strlen", "strnlen", "strcmp", "strncmp", "strcasecmp", "strncasecmp", "strcoll", "strstr",
    "strcasestr", "strspn", "strcspn", "strpbrk", "strcpy", "strncpy", "stpcpy", "stpncpy",
    "strcat", "strncat", "memcpy", "memmove", "mempcpy", "memcmp", "bcmp", "bcopy", "strverscmp",
    "strxfrm", "swab", "atoi", "atol", "atoll", "basename", "a64l",
  ]

  /// Functions of numbers.
  private static let integers: Set = [
    "abs", "labs", "llabs", "imaxabs", "ffs", "toupper", "tolower", "toascii", "isalpha", "isdigit",
    "isalnum", "isspace", "isupper", "islower", "isxdigit", "ispunct", "isprint", "isgraph",
    "iscntrl", "isblank", "isascii", "htonl", "htons", "ntohl", "ntohs", "towupper", "towlower",
    "iswalpha", "iswdigit", "iswspace", "gnu_dev_major", "gnu_dev_minor", "gnu_dev_makedev",
  ]

  /// Calls a function, the same way for the same round.
  func run(_ function: UnsafeRawPointer, round: Int) -> Outcome {
    var memory = Self.memory
    var state = corpus_state()
    var result: UInt64?
    memory.withUnsafeMutableBytes { bytes in
      let start = UInt64(UInt(bitPattern: bytes.baseAddress))
      switch shape {
      case .texts: state.integers = (start + 64, start + 256, UInt64(4 + round * 5), 0, 0, 0)
      case .integers: state.integers = (UInt64(round * 37 % 128), UInt64(round), 3, 0, 0, 0)
      case .reals:
        state.integers = (start, start + 64, start + 128, start + 192, 0, 0)
        withUnsafeMutableBytes(of: &state.vectors) { vectors in
          for index in 0..<8 {
            let value = Double(round + 1) * 0.375 + Double(index) * 0.25
            let bits = isSmall ? UInt64(Float(value).bitPattern) : value.bitPattern
            vectors.storeBytes(of: bits, toByteOffset: index * 32, as: UInt64.self)
          }
        }
      }
      corpus_call(function, &state)
      // Pointers into the memory count from its beginning; void functions of real numbers leave anything.
      if shape != .reals {
        let value = state.result.0
        result = value &- start < 512 ? value &- start : value & 0xFFFF_FFFF
      }
    }
    let vectors = withUnsafeBytes(of: state.result_vectors) {
      Array($0.bindMemory(to: UInt64.self))
    }
    return Outcome(result: result, vector: shape == .reals ? [vectors[0]] : [], memory: memory)
  }
}
