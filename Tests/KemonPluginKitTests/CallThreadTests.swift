// SPDX-License-Identifier: Apache-2.0

import KemonFakeHost
import Synchronization
import Testing

@testable import KemonPluginKit

@Suite(.serialized) struct CallThreadTests {
  private static let answers = Mutex<(role: Int32, left: UInt64)>((0, 0))
  nonisolated(unsafe) private static let table = permanent(
    kemon_ext_thread(
      size: UInt32(MemoryLayout<kemon_ext_thread>.size), reserved: 0,
      role: { _ in CallThreadTests.answers.withLock { $0.role } },
      budget_left_ns: { _ in CallThreadTests.answers.withLock { $0.left } }))

  @Test(
    arguments: [
      (KEMON_ROLE_OTHER, .other), (KEMON_ROLE_CONTROL, .control), (KEMON_ROLE_LANE, .lane),
      (KEMON_ROLE_OBSERVER, .observer), (77, .other),
    ] as [(Int32, CallThread.Role)])
  func `a thread has a role`(number: Int32, role: CallThread.Role) throws {
    Self.answers.withLock { $0.role = number }
    let host = FakeHost()
    host.tables[KEMON_EXT_THREAD] = Self.table
    #expect(Host(host.table).thread?.role == role)
    withExtendedLifetime(host) {}
    let poor = FakeHost()
    #expect(Host(poor.table).thread == nil)
    withExtendedLifetime(poor) {}
  }

  @Test(
    arguments: [
      (0, .zero), (5_000_000, .milliseconds(5)), (.max, nil), (.max - 1, .nanoseconds(Int64.max)),
    ] as [(UInt64, Duration?)])
  func `time is left, or there is no limit`(nanoseconds: UInt64, left: Duration?) throws {
    Self.answers.withLock { $0.left = nanoseconds }
    let host = FakeHost()
    host.tables[KEMON_EXT_THREAD] = Self.table
    #expect(try #require(Host(host.table).thread).timeLeft == left)
    withExtendedLifetime(host) {}
  }
}
