// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

// Unchecked: `pointer` is written once before the object is shared, the rest is behind a lock.
/// A process of a kernel's table: made by boot or fork, gone when its parent has waited for it.
public final class ModelProcess: @unchecked Sendable {
  /// Its number.
  public let pid: Int32
  /// The process in the file layer: credential, working directory, open files.
  public let context: ProcessContext
  /// What the kernel's functions are given.
  let pointer: UnsafeMutablePointer<kernel_proc>
  private let state = PosixLock(State())

  /// What changes in the life of a process.
  struct State {
    var arguments: [String] = []
    var environment: [String] = []
    /// How it is going to end, or has.
    var end: ProcessEnd?
    /// How many of its calls are in the kernel; while it is being made, its parent's, too.
    var calls = 0
    /// Whether a thread is bringing it to its end, or has.
    var isEnding = false
    /// Whether it has come to its end: a zombie.
    var isZombie = false
    /// Whether its parent has gone: nobody will wait for it.
    var isOrphan = false
    var tracer: Int32?
    var refusesTracers = false
    /// CS_ flags of code signing.
    var signingFlags: UInt32 = 0
    var memory = AddressSpace()

    /// Lets the calling thread bring it to its end: that has been decided, no call of its goes on, and nobody else does.
    fileprivate mutating func takeEnd() -> Bool {
      guard end != nil, calls == 0, !isEnding else { return false }
      isEnding = true
      return true
    }
  }

  init(_ context: ProcessContext, in kernel: UnsafePointer<kernel_processes>) {
    self.context = context
    pid = context.process.pid
    pointer = .allocate(capacity: 1)
    pointer.initialize(
      to: kernel_proc(
        p_kernel: kernel, p_context: UnsafePointer(context.pointer), p_data: nil, p_pid: pid))
    pointer.pointee.p_data = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit { pointer.deallocate() }

  /// The object behind what the kernel's functions pass around.
  static func of(_ process: UnsafePointer<kernel_proc>) -> ModelProcess {
    guard let object = process.pointee.p_data else {
      preconditionFailure("a process without its object")
    }
    return Unmanaged<ModelProcess>.fromOpaque(object).takeUnretainedValue()
  }

  /// Runs a closure that has the process' state to itself.
  func withState<Result>(_ body: (inout State) -> Result) -> Result { state.withLock { body(&$0) } }

  /// Who it is now.
  public var identity: Session.Process { context.process }

  /// The arguments of its image; empty until it has executed one.
  public var arguments: [String] { withState { $0.arguments } }

  /// How it ended; nil while it lives.
  public var end: ProcessEnd? { withState { $0.isZombie ? $0.end : nil } }

  /// Whether it has not ended, and is not about to.
  public var isAlive: Bool { withState { $0.end == nil } }

  /// The process that traces it.
  public var tracer: Int32? { withState { $0.tracer } }

  /// What the kernel knows of its code's signature: CS_ flags.
  public var signingFlags: UInt32 { withState { $0.signingFlags } }

  /// Lets no process trace it from now on: PT_DENY_ATTACH.
  public func refuseTracers() { withState { $0.refusesTracers = true } }

  /// Notes that a call of its begins; false when it has ended, or is about to.
  func beginCall() -> Bool {
    withState { state in
      guard state.end == nil else { return false }
      state.calls += 1
      return true
    }
  }

  /// Notes that a call has come to its end.
  ///
  /// - Returns: whether the caller is the one who brings the process to its end now.
  func endCall() -> Bool {
    withState { state in
      state.calls -= 1
      return state.takeEnd()
    }
  }

  /// Decides how it ends, unless that has been decided; it ends when it would go on with its own code.
  ///
  /// - Returns: whether the caller is the one who brings it to its end now: it is in no call, whose thread would.
  func decide(_ end: ProcessEnd) -> Bool {
    withState { state in
      state.end = state.end ?? end
      return state.takeEnd()
    }
  }
}
