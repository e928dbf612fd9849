// SPDX-License-Identifier: Apache-2.0

import CSodium
import KemonText

/// A signature file as minisign writes it.
public struct MinisignSignature: Sendable, Equatable {
  /// The name of a file's signature is its own and this.
  public static let suffix = ".minisig"
  /// More than any signature has.
  static let sizeLimit = 32 << 10

  /// The number of the key that it was made with.
  let keyID: [UInt8]
  /// Whether the bytes were hashed first, as minisign does since version 0.6.
  let isHashed: Bool
  private let signature: [UInt8]
  /// Signed together with the signature: believed when it is verified.
  public let comment: String
  private let commentSignature: [UInt8]

  /// Reads a file's text.
  public init(parsing bytes: [UInt8]) throws(MinisignError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw MinisignError(.format, "found bytes that are not UTF-8")
    }
    let lines = MinisignText.lines(of: text)
    guard lines.count == 4, lines[0].hasPrefix(MinisignText.untrusted),
      lines[2].hasPrefix(MinisignText.trusted), lines[2].utf8.count <= MinisignText.commentLimit
    else {
      throw MinisignError(
        .format,
        "needed are four lines: \(MinisignText.untrusted)…, the signature, "
          + "\(MinisignText.trusted)…, and its signature")
    }
    let own = try MinisignText.bytes(
      ofBase64: String(lines[1]), count: 74, what: "the signature")
    switch (own[0], own[1]) {
    case (UInt8(ascii: "E"), UInt8(ascii: "D")): isHashed = true
    case (UInt8(ascii: "E"), UInt8(ascii: "d")): isHashed = false
    default:
      throw MinisignError(
        .format, "found algorithm \(MinisignText.quote(own[..<2])), needed is ED or Ed")
    }
    keyID = Array(own[2..<10])
    signature = Array(own[10...])
    comment = String(lines[2].dropFirst(MinisignText.trusted.count))
    commentSignature = try MinisignText.bytes(
      ofBase64: String(lines[3]), count: 64, what: "the signature of the comment")
  }

  /// Signs bytes.
  ///
  /// - Parameter comment: kept in the signature, one line.
  init(of bytes: UnsafeRawBufferPointer, with key: MinisignSecretKey, comment: String) {
    keyID = key.id
    isHashed = true
    let hash = MinisignText.hash(bytes)
    let own = hash.withUnsafeBytes { key.sign($0) }
    signature = own
    self.comment = comment
    commentSignature = (own + Array(comment.utf8)).withUnsafeBytes { key.sign($0) }
  }

  /// The name of the key that it was made with.
  public var keyName: String { MinisignText.name(of: keyID) }

  /// The text of a file.
  public var text: String {
    let bytes = Array((isHashed ? "ED" : "Ed").utf8) + keyID + signature
    return """
      \(MinisignText.untrusted)signature from minisign secret key \(keyName)
      \(MinisignText.base64(bytes))
      \(MinisignText.trusted)\(comment)
      \(MinisignText.base64(commentSignature))

      """
  }

  /// Checks that one of some keys has signed some bytes.
  ///
  /// - Returns: that key.
  /// - Throws: that none of them has: ``MinisignError/Code/signer`` or ``MinisignError/Code/wrong``.
  @discardableResult
  public func verify(
    _ bytes: UnsafeRawBufferPointer, by keys: [MinisignPublicKey]
  ) throws(MinisignError) -> MinisignPublicKey {
    guard let key = keys.first(where: { $0.id == keyID }) else {
      let known = keys.map(\.name).joined(separator: ", ")
      throw MinisignError(.signer, "found a signature by key \(keyName), needed is one by \(known)")
    }
    let isRight =
      isHashed
      ? MinisignText.hash(bytes).withUnsafeBytes { Self.isSigned($0, signature, key) }
      : Self.isSigned(bytes, signature, key)
    guard isRight else {
      throw MinisignError(.wrong, "found other bytes than key \(keyName) has signed")
    }
    let whole = signature + Array(comment.utf8)
    guard whole.withUnsafeBytes({ Self.isSigned($0, commentSignature, key) }) else {
      throw MinisignError(.wrong, "found another comment than key \(keyName) has signed")
    }
    return key
  }

  private static func isSigned(
    _ bytes: UnsafeRawBufferPointer, _ signature: [UInt8], _ key: MinisignPublicKey
  ) -> Bool {
    let input = bytes.assumingMemoryBound(to: UInt8.self)
    return crypto_sign_verify_detached(
      signature, input.baseAddress, UInt64(input.count), key.key) == 0
  }
}
