// SPDX-License-Identifier: Apache-2.0

import CSodium
import KemonText

/// Why a key or a signature cannot be used.
public struct MinisignError: Error, Equatable, CustomStringConvertible {
  /// The rule that is broken.
  public enum Code: Sendable {
    /// The text is no key, or no signature.
    case format
    /// The password is wrong or missing, or the secret key is damaged.
    case password
    /// The signature was made with another key.
    case signer
    /// The signature is not of these bytes.
    case wrong
    /// The system gives no memory for the password's hash.
    case memory
  }

  /// The rule.
  public let code: Code
  /// What is wrong.
  public let description: String

  init(_ code: Code, _ description: String) {
    self.code = code
    self.description = PrintableText.escape(description)
  }
}

/// What the text forms of minisign's files have in common.
enum MinisignText {
  static let untrusted = "untrusted comment: "
  static let trusted = "trusted comment: "
  /// The longest comment.
  static let commentLimit = 8192

  /// The lines of a text, without its last end of line.
  static func lines(of text: String) -> [Substring] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  static func bytes(
    ofBase64 line: String, count: Int, what: String
  ) throws(MinisignError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var length = 0
    let status = sodium_base642bin(
      &bytes, count, line, line.utf8.count, nil, &length, nil, Int32(sodium_base64_VARIANT_ORIGINAL)
    )
    guard status == 0, length == count else {
      throw MinisignError(.format, "\(what): needed are \(count) bytes in base64")
    }
    return bytes
  }

  static func base64(_ bytes: [UInt8]) -> String {
    let variant = Int32(sodium_base64_VARIANT_ORIGINAL)
    var text = [CChar](repeating: 0, count: sodium_base64_encoded_len(bytes.count, variant))
    sodium_bin2base64(&text, text.count, bytes, bytes.count, variant)
    return String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A key's number: 64 bits, the lowest byte first.
  static func name(of id: [UInt8]) -> String {
    let number = id.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let digits = String(number, radix: 16, uppercase: true)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  static func quote(_ bytes: ArraySlice<UInt8>) -> String {
    "\"\(String(decoding: bytes, as: UTF8.self))\""
  }

  /// BLAKE2b.
  static func hash(_ bytes: UnsafeRawBufferPointer, count: Int = 64) -> [UInt8] {
    var hash = [UInt8](repeating: 0, count: count)
    let input = bytes.assumingMemoryBound(to: UInt8.self)
    crypto_generichash(&hash, count, input.baseAddress, UInt64(input.count), nil, 0)
    return hash
  }
}
