// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import CXXHookFixtures
import Glibc
import KemonHooks
import KemonTestSupport
import Testing

@Suite(.serialized) struct HookUnwindingTests {
  @Test func `an exception passes a hook, and post learns of it`() throws {
    let counts = Counts()
    let hook = try HookEngine.attach(
      entry: try #require(fixture_throws_address()), handlers: counts.handlers)
    #expect(fixture_catches(100) == 5050)
    #expect(fixture_throws(0) == 0)
    #expect(counts.pre.value == 101)
    #expect(counts.post.value == 101)
    #expect(counts.left.value == 100)
    #expect(hook.callsInFlight == 0)
    try hook.detach()
    #expect(fixture_catches(3) == 6)
  }

  @Test func `longjmp passes a hook, and the hook can be taken out afterwards`() throws {
    let counts = Counts()
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_jumps"), handlers: counts.handlers)
    // On a thread of its own: what a jump has left behind is noticed at the next call, or at the end of the thread.
    let caught = Counter()
    onThreads(1) { _ in if fixture_catches_jumps(2000) == 2000 { caught.add() } }
    #expect(caught.value == 1)
    #expect(counts.pre.value == 2000)
    #expect(counts.post.value == 0)
    #expect(hook.callsInFlight == 0)
    try hook.detach()
  }

  @Test func `a thread may end inside a hooked call`() throws {
    let counts = Counts()
    let hook = try HookEngine.attach(
      entry: try fixture("fixture_ends_thread"), handlers: counts.handlers)
    #expect(fixture_thread_ended() == 1)
    #expect(counts.pre.value == 1)
    #expect(counts.post.value == 1)
    #expect(counts.left.value == 1)
    try hook.detach()
  }

  @Test func `24 words of arguments on the stack are passed on`() throws {
    let probe = Probe()
    try hooking("fixture_sum30", probe) {
      #expect(fixture_sum30_of_ones() == 4906)
      #expect(probe.postCount == 1)
    }
  }

  /// A race detector's own stack of calls is too small for so many.
  @Test(.enabled(if: !Sanitizer.isRaceDetector, "a race detector can not count so many calls"))
  func `nine thousand calls inside each other fit on an ordinary stack`() throws {
    let probe = Probe()
    let right = Counter()
    try hooking("fixture_depth", probe) {
      onThreads(1) { _ in if fixture_depth(9000) == 9000 { right.add() } }
    }
    #expect(right.value == 1)
    #expect(probe.postCount == 9001)
  }
}

/// Counts what handlers see.
private final class Counts: Sendable {
  let pre = Counter()
  let post = Counter()
  let left = Counter()

  var handlers: HookHandlers {
    HookHandlers(
      pre: { context, _ in
        guard let context else { return Int32(CKEMON_PROCEED) }
        Unmanaged<Counts>.fromOpaque(context).takeUnretainedValue().pre.add()
        return Int32(CKEMON_PROCEED)
      },
      post: { context, frame in
        guard let context else { return }
        let counts = Unmanaged<Counts>.fromOpaque(context).takeUnretainedValue()
        counts.post.add()
        if frame.pointee.skipped == 2 { counts.left.add() }
      }, context: Unmanaged.passUnretained(self).toOpaque())
  }
}
