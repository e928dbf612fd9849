// SPDX-License-Identifier: Apache-2.0

import CSodium

/// The hash that names files and results.
public enum SHA256 {
  /// The hash of some bytes, in hexadecimal.
  public static func hexDigest(of bytes: UnsafeRawBufferPointer) -> String {
    var digest = [UInt8](repeating: 0, count: Int(crypto_hash_sha256_BYTES))
    let input = bytes.assumingMemoryBound(to: UInt8.self)
    crypto_hash_sha256(&digest, input.baseAddress, UInt64(input.count))
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
