// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import Glibc
internal import KemonEvents
internal import Synchronization

/// What a thread on which kernel code runs has to itself: hook handlers find their state here without any lock.
///
/// A lane is handed around as an address, and what it stands for lies in memory of its own: on the way of an event no
/// reference is counted. Good on its own thread, as long as the thread lives.
struct Lane {
  private let state: UnsafeMutablePointer<State>
  /// What the thread does with files.
  let files: FileLane

  private struct State: ~Copyable {
    let number: Int
    let files = FileLane()
    let processes = ProcessLane()
    var actor: Unmanaged<ActingProcess>?
    var kexts: [UnsafePointer<kernel_oskext>] = []
    var events = 0
    var attachments = 0
    var spare: RecordBuilder?
    var lastOperation: UInt64 = 0

    deinit {
      actor?.release()
      files.deallocate()
    }
  }

  private static let lastNumber = Atomic<UInt64>(0)

  private init(_ memory: UnsafeMutableRawPointer) {
    state = memory.assumingMemoryBound(to: State.self)
    files = state.pointee.files
  }

  /// The calling thread's lane; made at the first use, freed at the end of the thread.
  @inline(__always)
  static var current: Lane {
    if let known = pthread_getspecific(key) { return Lane(known) }
    return make()
  }

  @inline(never)
  private static func make() -> Lane {
    let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
    state.initialize(
      to: State(number: Int(lastNumber.wrappingAdd(1, ordering: .relaxed).newValue)))
    pthread_setspecific(key, state)
    return Lane(state)
  }

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key) { lane in
      guard let state = lane?.assumingMemoryBound(to: State.self) else { return }
      state.deinitialize(count: 1)
      state.deallocate()
    }
    precondition(status == 0, "no thread-specific key is left")
    return key
  }()

  /// A number of its own, from 1.
  var number: Int { state.pointee.number }

  /// What the thread does with processes.
  var processes: ProcessLane { state.pointee.processes }

  // MARK: Who acts

  /// The process that is in the kernel on this thread.
  var process: Session.Process? {
    get { state.pointee.actor?._withUnsafeGuaranteedRef { $0.process } }
    nonmutating set {
      let before = state.pointee.actor
      if let newValue, before?._withUnsafeGuaranteedRef({ $0.process }) == newValue { return }
      state.pointee.actor = newValue.map { Unmanaged.passRetained(ActingProcess($0)) }
      before?.release()
    }
  }

  /// Notes that a process is in the kernel on this thread from now on.
  ///
  /// - Parameter actor: kept alive by the caller during the call, and by the lane from then on.
  @inline(__always)
  func act(as actor: Unmanaged<ActingProcess>) {
    let before = state.pointee.actor
    // Most calls are those of the process that made the last one.
    guard before?.toOpaque() != actor.toOpaque() else { return }
    state.pointee.actor = actor.retain()
    before?.release()
  }

  /// Says in a record who acts.
  @inline(__always)
  func setSubject(of builder: inout RecordBuilder) {
    state.pointee.actor?._withUnsafeGuaranteedRef { $0.setSubject(of: &builder) }
  }

  // MARK: What it does

  /// How many events happened on the thread.
  var events: Int { state.pointee.events }

  /// How many of them told of a hook, which any thread may have been the first to need.
  var attachments: Int { state.pointee.attachments }

  /// Notes that the next event tells of a hook.
  func noteAttachment() { state.pointee.attachments += 1 }

  /// A number that joins the pre and the post of an operation: no other thread gives the same.
  func nextOperation() -> UInt64 {
    state.pointee.lastOperation += 1
    return UInt64(number) << 40 | state.pointee.lastOperation
  }

  /// The kexts whose OSKext::start or OSKext::stop this thread is in, innermost last.
  var kexts: [UnsafePointer<kernel_oskext>] { state.pointee.kexts }

  /// Notes that the thread enters OSKext::start or OSKext::stop.
  func enter(_ kext: UnsafePointer<kernel_oskext>) { state.pointee.kexts.append(kext) }

  /// Notes that it has left the innermost one.
  func leave() { _ = state.pointee.kexts.popLast() }

  /// Lends a record builder; a handler that causes another event gets another one.
  @inline(__always)
  func withBuilder<Result>(_ body: (inout RecordBuilder) -> Result) -> Result {
    state.pointee.events += 1
    var builder = state.pointee.spare.take() ?? RecordBuilder()
    let result = body(&builder)
    state.pointee.spare = consume builder
    return result
  }
}
