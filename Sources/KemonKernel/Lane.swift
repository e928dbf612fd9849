// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import Glibc
internal import KemonEvents
internal import Synchronization

/// What a thread on which kernel code runs has to itself: hook handlers find their state here without any lock.
final class Lane {
  /// The process that is in the kernel on this thread.
  var process: Session.Process?
  /// The kexts whose OSKext::start or OSKext::stop this thread is in, innermost last.
  private(set) var kexts: [UnsafePointer<kernel_oskext>] = []
  /// A number of its own, from 1.
  let number = Int(lastNumber.wrappingAdd(1, ordering: .relaxed).newValue)
  /// What the thread does with files.
  let files = FileLane()
  /// What the thread does with processes.
  let processes = ProcessLane()
  /// How many events happened on the thread.
  private(set) var events = 0
  private var spare: RecordBuilder?
  private var lastOperation: UInt64 = 0
  private static let lastNumber = Atomic<UInt64>(0)

  /// The calling thread's lane; made at the first use, freed at the end of the thread.
  static var current: Lane {
    if let known = pthread_getspecific(key) {
      return Unmanaged<Lane>.fromOpaque(known).takeUnretainedValue()
    }
    let lane = Lane()
    pthread_setspecific(key, Unmanaged.passRetained(lane).toOpaque())
    return lane
  }

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key) { lane in
      if let lane { Unmanaged<Lane>.fromOpaque(lane).release() }
    }
    precondition(status == 0, "no thread-specific key is left")
    return key
  }()

  /// A number that joins the pre and the post of an operation: no other thread gives the same.
  func nextOperation() -> UInt64 {
    lastOperation += 1
    return UInt64(number) << 40 | lastOperation
  }

  /// Notes that the thread enters OSKext::start or OSKext::stop.
  func enter(_ kext: UnsafePointer<kernel_oskext>) { kexts.append(kext) }

  /// Notes that it has left the innermost one.
  func leave() { _ = kexts.popLast() }

  /// Lends a record builder; a handler that causes another event gets another one.
  func withBuilder<Result>(_ body: (inout RecordBuilder) -> Result) -> Result {
    events += 1
    var builder = spare.take() ?? RecordBuilder()
    let result = body(&builder)
    spare = consume builder
    return result
  }
}
