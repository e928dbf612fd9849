// SPDX-License-Identifier: Apache-2.0

import CHookFixtures
import Glibc
import KemonHooks
import Synchronization
import Testing

/// The address of a fixture.
func fixture(_ name: String) throws -> UnsafeRawPointer {
  try #require(fixture_address(name), "no fixture \(name)")
}

/// The first bytes of a fixture as they are now.
func bytes(_ name: String, count: Int = 16) throws -> [UInt8] {
  Array(UnsafeRawBufferPointer(start: try fixture(name), count: count))
}

/// Counts calls, and tells the handlers what to do.
final class Probe: Sendable {
  private let pre = Counter()
  private let post = Counter()
  private let skipped = Counter()
  private let firstArgument = Atomic<UInt64>(0)
  private let secondArgument = Atomic<UInt64>(0)
  private let result = Atomic<UInt64>(0)
  /// Pre sets the first argument to this unless it is nil.
  let newArgument: UInt64?
  /// Pre skips the original with this result.
  let skipResult: UInt64?
  /// Post adds this to the result.
  let addend: UInt64

  init(newArgument: UInt64? = nil, skipResult: UInt64? = nil, addend: UInt64 = 0) {
    self.newArgument = newArgument
    self.skipResult = skipResult
    self.addend = addend
  }

  var preCount: Int { pre.value }
  var postCount: Int { post.value }
  var skipCount: Int { skipped.value }
  var seenFirst: UInt64 { firstArgument.load(ordering: .relaxed) }
  var seenSecond: UInt64 { secondArgument.load(ordering: .relaxed) }
  var seenResult: UInt64 { result.load(ordering: .relaxed) }

  var handlers: HookHandlers {
    HookHandlers(
      pre: { context, frame in
        guard let context else { return Int32(CKEMON_PROCEED) }
        return Unmanaged<Probe>.fromOpaque(context).takeUnretainedValue().before(frame)
      },
      post: { context, frame in
        guard let context else { return }
        Unmanaged<Probe>.fromOpaque(context).takeUnretainedValue().after(frame)
      }, context: Unmanaged.passUnretained(self).toOpaque())
  }

  private func before(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    pre.add()
    firstArgument.store(frame.pointee.rdi, ordering: .relaxed)
    secondArgument.store(frame.pointee.rsi, ordering: .relaxed)
    fixture_require_alignment()
    fixture_dirty_vectors()
    if let newArgument { frame.pointee.rdi = newArgument }
    guard let skipResult else { return Int32(CKEMON_PROCEED) }
    frame.pointee.result = skipResult
    return Int32(CKEMON_SKIP)
  }

  private func after(_ frame: UnsafeMutablePointer<HookFrame>) {
    post.add()
    if frame.pointee.skipped != 0 { skipped.add() }
    result.store(frame.pointee.result, ordering: .relaxed)
    fixture_require_alignment()
    fixture_dirty_vectors()
    frame.pointee.result &+= addend
  }
}

/// Runs a body with a hook in place, and takes the hook out again.
func hooking(
  _ name: String, extent: FunctionExtent? = nil, _ probe: Probe, _ body: () throws -> Void
) throws {
  let hook = try HookEngine.attach(
    entry: try fixture(name), HookOptions(extent: extent, safety: .quiescent),
    handlers: probe.handlers)
  defer { #expect(throws: Never.self) { try hook.detach() } }
  try body()
}

/// Runs a body on threads of its own and waits for all.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
  final class Start {
    let index: Int
    let body: @Sendable (Int) -> Void
    init(_ index: Int, _ body: @escaping @Sendable (Int) -> Void) {
      self.index = index
      self.body = body
    }
  }
  let threads = (0..<count).map { index in
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(index, body)).toOpaque()
    let status = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        start.body(start.index)
        return nil
      }, start)
    precondition(status == 0, "no thread")
    return thread
  }
  for thread in threads { pthread_join(thread, nil) }
}

/// A number that threads count up.
final class Counter: Sendable {
  private let count = Atomic<Int>(0)
  var value: Int { count.load(ordering: .sequentiallyConsistent) }
  func add() { count.add(1, ordering: .sequentiallyConsistent) }
}

func sleepMilliseconds(_ count: UInt32) { usleep(count * 1000) }
