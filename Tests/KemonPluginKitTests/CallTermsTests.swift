// SPDX-License-Identifier: Apache-2.0

import KemonFakeHost
import Testing

@testable import KemonPluginKit

/// Budgets of handlers, and what of their answers may be remembered.
@Suite struct CallTermsTests {
  private final class Scanner: KemonPlugin {
    init(host: Host) throws {}

    var handlers: [Handler] {
      On(
        "file.open", .pre, timeout: .milliseconds(5), onTimeout: .deny, cache: [.path, .uid],
        cacheFor: .seconds(2)
      ) { _ in .allow.cacheable() }
      On(
        "file.create", .pre, fields: "path", timeout: .microseconds(1), onTimeout: .allow,
        cache: .payload
      ) { (_: RecordText) in .allow }
      On("file.delete", .pre) { _ in .allow }
    }
  }

  @Test func `they reach the host as they were written`() throws {
    let host = FakeHost()
    let instance = try run(Scanner.self, in: host)
    defer { withExtendedLifetime(instance) {} }
    #expect(host.handlers.map(\.timeout) == [5_000_000, 1000, 0])
    #expect(host.handlers.map(\.onTimeout) == [KEMON_FAIL_DENY, KEMON_FAIL_ALLOW, 0])
    #expect(
      host.handlers.map(\.cacheFields) == [
        UInt32(KEMON_CACHE_PATH | KEMON_CACHE_UID), UInt32(KEMON_CACHE_PAYLOAD), 0,
      ])
    #expect(host.handlers.map(\.cacheLifetime) == [2_000_000_000, 0, 0])
    #expect(host.vote(opening()).map(\.isCacheable) == [true])
  }

  private final class Impossible: KemonPlugin {
    private let isTimeout: Bool

    init(host: Host) throws { isTimeout = try host.config.boolean("timeout") ?? false }

    var handlers: [Handler] {
      if isTimeout {
        On("file.open", .pre, timeout: .zero) { _ in .allow }
      } else {
        On("file.open", .pre, cache: .path, cacheFor: .seconds(-1)) { _ in .allow }
      }
    }
  }

  @Test(arguments: [true, false])
  func `a time that is none is refused, zero is not taken for no limit`(isTimeout: Bool) {
    let host = FakeHost(config: ["timeout": .boolean(isTimeout)])
    let error = #expect(throws: RegistrationError.self) { try run(Impossible.self, in: host) }
    #expect(error?.description.hasSuffix("must be more than 0") == true)
    #expect(error?.description.contains(isTimeout ? "timeout is" : "cacheFor is") == true)
    #expect(host.handlers.isEmpty)
  }

  @Test func `durations are counted in nanoseconds`() {
    #expect(Duration.nanoseconds(1).wholeNanoseconds == 1)
    #expect(Duration.seconds(3600).wholeNanoseconds == 3_600_000_000_000)
    #expect((Duration.seconds(1) - .nanoseconds(1)).wholeNanoseconds == 999_999_999)
    #expect(Duration.nanoseconds(-1).wholeNanoseconds == nil)
    #expect(Duration.seconds(Int64.max).wholeNanoseconds == nil)
  }
}
