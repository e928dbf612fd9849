// SPDX-License-Identifier: Apache-2.0

/// How long a handler may take, and which of its answers may be remembered.
struct CallTerms: Sendable {
  var timeout: Duration?
  var onTimeout = Handler.Fault.abstain
  var cache: CacheFields = []
  var cacheFor: Duration?

  /// Writes them into the description for the host.
  ///
  /// - Throws: for a time that is none; zero would mean "no limit" there.
  func write(
    to description: inout kemon_handler, of handler: String
  ) throws(RegistrationError) {
    description.timeout_ns = try Self.nanoseconds(timeout, "timeout", handler)
    description.on_timeout = onTimeout.rawValue
    description.cache_fields = cache.rawValue
    description.cache_ttl_ns = try Self.nanoseconds(cacheFor, "cacheFor", handler)
  }

  private static func nanoseconds(
    _ duration: Duration?, _ name: String, _ handler: String
  ) throws(RegistrationError) -> UInt64 {
    guard let duration else { return 0 }
    guard let nanoseconds = duration.wholeNanoseconds, nanoseconds > 0 else {
      throw RegistrationError(
        handler: handler, message: "\(name) is \(duration), it must be more than 0")
    }
    return nanoseconds
  }
}

extension Duration {
  /// Nanoseconds, as the host counts; nil when they are negative or too many.
  var wholeNanoseconds: UInt64? {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return nil }
    let (product, isTooLong) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, isMore) = product.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000))
    return isTooLong || isMore ? nil : sum
  }
}
