// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import Glibc
import KemonBus
import KemonPlatform

// Unchecked: the buffers are reached under `state` only, or by the writer alone after it has taken one.
/// Lines on their way to a descriptor, written by a thread of its own in large blocks.
///
/// Two buffers of fixed size: writers append to one under a lock that is held for a copy only, while the thread
/// writes out the other. A full buffer drops and counts, or makes those wait that may.
///
/// ``close()`` must be called; until then the thread keeps the object alive.
public final class BufferedOutput: OutputSink, @unchecked Sendable {
  /// What one system call writes at most, and at least when there is more than that.
  static let blockSize = 64 << 10
  /// How long the first line of a block waits for others.
  static let delayNanoseconds: UInt64 = 4_000_000

  private let descriptor: Int32?
  private let capacity: Int
  private let state: PosixLock<State>
  private let wake = FutexWord()
  private let progress = FutexWord()

  // Unchecked: owns its buffers.
  private struct State: @unchecked Sendable {
    var front: UnsafeMutableRawBufferPointer
    var back: UnsafeMutableRawBufferPointer
    var count = 0
    var account = OutputAccount()
    /// Bytes that left the buffers, written or not: what ``flush()`` waits for.
    var settledBytes: UInt64 = 0
    var failure: Int32 = 0
    var waiters = 0
    var flushers = 0
    var isAsleep = false
    var isClosing = false
    var thread: WorkerThread?
  }

  /// Makes an output that writes to a descriptor, and starts its thread.
  ///
  /// - Parameters:
  ///   - descriptor: stays open and is not closed here. Nil throws all lines away and counts them.
  ///   - capacity: bytes that can wait to be taken by the thread; as many can be in its hands.
  ///   - name: of the thread, for debuggers.
  public init(to descriptor: Int32?, capacity: Int = 1 << 20, named name: String = "output") {
    self.descriptor = descriptor
    self.capacity = max(capacity, 4096)
    let size = descriptor == nil ? 0 : self.capacity
    state = PosixLock(
      State(
        front: .allocate(byteCount: size, alignment: 64),
        back: .allocate(byteCount: size, alignment: 64)))
    guard descriptor != nil else { return }
    let thread = WorkerThread(named: name) { self.run() }
    state.withLock { $0.thread = thread }
  }

  deinit {
    state.withLock { state in
      state.front.deallocate()
      state.back.deallocate()
    }
  }

  /// What became of all lines so far.
  public var account: OutputAccount { state.withLock { $0.account } }

  /// The errno that ended the output, such as EPIPE when the reader has gone; 0 while all is well.
  public var failure: Int32 { state.withLock { $0.failure } }

  // MARK: Writers

  /// Appends whole lines.
  ///
  /// - Parameter mayWait: whether to wait for room instead of dropping.
  @discardableResult
  public func write(_ bytes: UnsafeRawBufferPointer, mayWait: Bool) -> OutputResult {
    guard let last = bytes.last else { return .accepted }
    let size = bytes.count + (last == UInt8(ascii: "\n") ? 0 : 1)
    var hasWaited = false
    while true {
      let ticket = progress.value
      let (result, mustWake) = state.withLock { state in
        if hasWaited { state.waiters -= 1 }
        let result = append(bytes, size, &state)
        let isWaiting = result == .full && mayWait
        if isWaiting {
          state.waiters += 1
        } else if result != .accepted {
          state.account.droppedWrites += 1
          state.account.droppedBytes += UInt64(size)
        }
        // The first line wakes the thread to wait for more, a full block to write.
        let mustWake = state.isAsleep && (state.count == size || isDue(state))
        if mustWake { state.isAsleep = false }
        return (isWaiting ? nil : result, mustWake)
      }
      if mustWake { wake.signal() }
      if let result { return result }
      hasWaited = true
      progress.wait(from: ticket, nanoseconds: 100_000_000)
    }
  }

  private func append(
    _ bytes: UnsafeRawBufferPointer, _ size: Int, _ state: inout State
  ) -> OutputResult {
    guard !state.isClosing, state.failure == 0 else { return .closed }
    if descriptor == nil {
      state.account.writtenBytes += UInt64(size)
    } else {
      guard size <= capacity else { return .tooLarge }
      guard size <= capacity - state.count, let source = bytes.baseAddress,
        let target = state.front.baseAddress
      else { return .full }
      (target + state.count).copyMemory(from: source, byteCount: bytes.count)
      if size > bytes.count { state.front[state.count + size - 1] = UInt8(ascii: "\n") }
      state.count += size
    }
    state.account.acceptedWrites += 1
    state.account.acceptedBytes += UInt64(size)
    return .accepted
  }

  /// Whether what has gathered is to be written now, and not when the delay is over.
  private func isDue(_ state: State) -> Bool {
    state.count >= Self.blockSize || state.waiters > 0 || state.flushers > 0 || state.isClosing
  }

  /// Returns when everything that was accepted before the call has been written, or has failed.
  ///
  /// Not from a thread that owes a verdict.
  public func flush() {
    guard descriptor != nil else { return }
    let goal = state.withLock { state in
      state.flushers += 1
      state.isAsleep = false
      return state.account.acceptedBytes
    }
    wake.signal()
    while true {
      let ticket = progress.value
      if state.withLock({ $0.settledBytes >= goal }) { break }
      progress.wait(from: ticket, nanoseconds: 100_000_000)
    }
    state.withLock { $0.flushers -= 1 }
  }

  /// Writes out what was accepted, ends the thread and refuses all that comes later; harmless when repeated.
  public func close() {
    let thread = state.withLock { state in
      state.isClosing = true
      defer { state.thread = nil }
      return state.thread
    }
    wake.signal()
    thread?.join()
  }

  // MARK: The thread

  private func run() {
    Self.blockSignals()
    while true {
      let ticket = wake.value
      let (isIdle, isDue, isOver) = state.withLock { state in
        let isDue = self.isDue(state)
        if state.count == 0 || !isDue { state.isAsleep = true }
        return (state.count == 0, isDue, state.isClosing && state.count == 0)
      }
      if isOver { return }
      if isIdle {
        wake.wait(from: ticket, nanoseconds: 1_000_000_000)
        continue
      }
      if !isDue { wake.wait(from: ticket, nanoseconds: Self.delayNanoseconds) }
      writeOut()
    }
  }

  /// Takes what has gathered, lets the writers go on, and writes it.
  private func writeOut() {
    let (block, failed) = state.withLock { state in
      state.isAsleep = false
      swap(&state.front, &state.back)
      let block = UnsafeRawBufferPointer(rebasing: state.back[..<state.count])
      state.count = 0
      return (block, state.failure != 0)
    }
    progress.signal()
    let (written, error) = failed ? (0, 0) : write(block)
    state.withLock { state in
      if error != 0 { state.failure = error }
      state.account.writtenBytes += UInt64(written)
      state.account.droppedBytes += UInt64(block.count - written)
      state.settledBytes += UInt64(block.count)
    }
    progress.signal()
  }

  private func write(_ block: UnsafeRawBufferPointer) -> (written: Int, error: Int32) {
    guard let descriptor, let start = block.baseAddress else { return (block.count, 0) }
    var written = 0
    while written < block.count {
      let count = min(block.count - written, Self.blockSize)
      let result = Glibc.write(descriptor, start + written, count)
      if result >= 0 {
        written += result
      } else if errno == EAGAIN {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&request, 1, -1)
      } else if errno != EINTR {
        return (written, errno)
      }
    }
    return (written, 0)
  }

  /// A reader that has gone is an error of ours, not the end of the process; and signals for the process are for
  /// its main thread.
  private static func blockSignals() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }
}
