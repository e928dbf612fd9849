// SPDX-License-Identifier: Apache-2.0

extension Dispatcher {
  /// The time that records get: nanoseconds since 1970 on the event clock, which is virtual during replay.
  public var time: UInt64 { clock.now() }
}
