// SPDX-License-Identifier: Apache-2.0

import CSodium

// Unchecked: the bytes never change until they are wiped with the object.
/// A secret key as minisign writes it; wiped from memory with its object.
public final class MinisignSecretKey: @unchecked Sendable {
  let id: [UInt8]
  private let key: UnsafeMutablePointer<UInt8>

  private static let keyCount = Int(crypto_sign_SECRETKEYBYTES)
  /// Number, key and checksum.
  private static let sealedCount = 8 + 64 + 32

  /// How much work it is to try a password.
  public enum Work: Sendable {
    /// As minisign has it: a gigabyte of memory and seconds.
    case sensitive
    /// Sixteen megabytes.
    case interactive

    fileprivate var limits: (operations: UInt64, memory: UInt64) {
      switch self {
      case .sensitive: (1 << 25, 1 << 30)
      case .interactive: (1 << 19, 1 << 24)
      }
    }
  }

  private init(id: [UInt8], key bytes: some Collection<UInt8>) {
    self.id = id
    key = .allocate(capacity: Self.keyCount)
    _ = UnsafeMutableBufferPointer(start: key, count: Self.keyCount).initialize(from: bytes)
  }

  deinit {
    sodium_memzero(key, Self.keyCount)
    key.deallocate()
  }

  /// Makes a new key.
  public convenience init() {
    _ = sodium_init()
    var id = [UInt8](repeating: 0, count: 8)
    randombytes_buf(&id, id.count)
    var secret = [UInt8](repeating: 0, count: Self.keyCount)
    var open = [UInt8](repeating: 0, count: Int(crypto_sign_PUBLICKEYBYTES))
    crypto_sign_keypair(&open, &secret)
    self.init(id: id, key: secret)
    sodium_memzero(&secret, secret.count)
  }

  /// Reads a file's text.
  ///
  /// - Parameter password: opens the key; nil for one without.
  public convenience init(parsing text: String, password: String?) throws(MinisignError) {
    let lines = MinisignText.lines(of: text)
    guard lines.count == 2, lines[0].hasPrefix(MinisignText.untrusted) else {
      throw MinisignError(
        .format, "needed are two lines: \(MinisignText.untrusted)…, and the secret key")
    }
    let bytes = try MinisignText.bytes(
      ofBase64: String(lines[1]), count: 54 + Self.sealedCount, what: "a secret key")
    guard bytes[..<2].elementsEqual("Ed".utf8), bytes[4..<6].elementsEqual("B2".utf8) else {
      throw MinisignError(.format, "found another algorithm, needed is Ed with B2")
    }
    var sealed = Array(bytes[54...])
    defer { sodium_memzero(&sealed, sealed.count) }
    if bytes[2..<4].elementsEqual("Sc".utf8) {
      guard let password else {
        throw MinisignError(.password, "the key has a password, and none was given")
      }
      let number = { (place: Int) in
        bytes[place..<place + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      }
      try Self.mask(
        &sealed, password, salt: Array(bytes[6..<38]), (number(38), number(46)))
    } else if bytes[2..<4].contains(where: { $0 != 0 }) {
      throw MinisignError(
        .format, "found \(MinisignText.quote(bytes[2..<4])) for the password, needed is Sc")
    }
    // minisign gives keys without a password no checksum.
    let isUnchecked = bytes[2] == 0 && sealed[72...].allSatisfy { $0 == 0 }
    guard isUnchecked || sodium_memcmp(Self.checksum(sealed[..<72]), Array(sealed[72...]), 32) == 0
    else {
      throw MinisignError(.password, "the password is wrong, or the key is damaged")
    }
    self.init(id: Array(sealed[..<8]), key: sealed[8..<72])
  }

  /// The text of a file.
  ///
  /// - Parameter password: needed to read it; nil for none.
  public func text(
    password: String?, work: Work = .sensitive
  ) throws(MinisignError) -> String {
    var sealed = id + UnsafeBufferPointer(start: key, count: Self.keyCount)
    sealed += Self.checksum(sealed[...])
    defer { sodium_memzero(&sealed, sealed.count) }
    var salt = [UInt8](repeating: 0, count: 32)
    var limits: (operations: UInt64, memory: UInt64) = (0, 0)
    if let password {
      randombytes_buf(&salt, salt.count)
      limits = work.limits
      try Self.mask(&sealed, password, salt: salt, limits)
    }
    let kdf = password == nil ? [0, 0] : Array("Sc".utf8)
    let header = Array("Ed".utf8) + kdf + Array("B2".utf8)
    let numbers = [limits.operations, limits.memory].flatMap { number in
      (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
    let kind = password == nil ? "minisign unencrypted secret key" : "minisign encrypted secret key"
    return "\(MinisignText.untrusted)\(kind)\n"
      + MinisignText.base64(header + salt + numbers + sealed) + "\n"
  }

  /// The key that verifies what this one signs.
  public var publicKey: MinisignPublicKey {
    // An Ed25519 secret key holds its public key in its second half.
    MinisignPublicKey(
      id: id, key: Array(UnsafeBufferPointer(start: key + 32, count: Self.keyCount - 32)))
  }

  /// Signs bytes as minisign does.
  ///
  /// - Parameter comment: one line, signed too.
  public func signature(
    of bytes: UnsafeRawBufferPointer, comment: String
  ) -> MinisignSignature {
    MinisignSignature(of: bytes, with: self, comment: comment)
  }

  func sign(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var signature = [UInt8](repeating: 0, count: Int(crypto_sign_BYTES))
    let input = bytes.assumingMemoryBound(to: UInt8.self)
    crypto_sign_detached(&signature, nil, input.baseAddress, UInt64(input.count), key)
    return signature
  }

  /// What tells a right password from a wrong one: over the algorithm, the key's number and the key.
  private static func checksum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var text = Array("Ed".utf8) + bytes
    defer { sodium_memzero(&text, text.count) }
    return text.withUnsafeBytes { MinisignText.hash($0, count: 32) }
  }

  /// Mixes bytes with what a password gives: twice is not at all.
  private static func mask(
    _ bytes: inout [UInt8], _ password: String, salt: [UInt8],
    _ limits: (operations: UInt64, memory: UInt64)
  ) throws(MinisignError) {
    // What a hostile file asks for must not take all memory.
    guard limits.memory <= 2 << 30, limits.operations <= 1 << 26 else {
      throw MinisignError(.format, "the key's password asks for more work than minisign's do")
    }
    var stream = [UInt8](repeating: 0, count: bytes.count)
    defer { sodium_memzero(&stream, stream.count) }
    let status = crypto_pwhash_scryptsalsa208sha256(
      &stream, UInt64(stream.count), password, UInt64(password.utf8.count), salt,
      limits.operations, Int(limits.memory))
    guard status == 0 else {
      throw MinisignError(.memory, "no memory of \(limits.memory) bytes to hash the password")
    }
    for index in bytes.indices { bytes[index] ^= stream[index] }
  }
}
