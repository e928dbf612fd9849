// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform
internal import Synchronization

// Unchecked: what `pointer` points to is written before the object is shared, and by an exec, which has the process to
// itself; the rest is behind locks.
/// A process in the kernel's file layer: its credential, its working directory, its open files.
///
/// Made by ``FileSystem/context(for:groups:)``, and good for that file system.
public final class ProcessContext: @unchecked Sendable {
  /// What the kernel's functions are given.
  let pointer: UnsafeMutablePointer<kernel_vfs_context>
  let descriptors = PosixLock(DescriptorTable())
  private let state: PosixLock<State>
  // The address of the last of `State.actors`.
  private let acting: Atomic<UInt>

  private struct State {
    /// Who it has been, kept as long as the process: a thread may be about to take an older one.
    var actors: [ActingProcess]
    var credential: Credential
    var workingDirectory: Vnode
    var creationMask: UInt16 = 0o022
  }

  init(
    _ process: Session.Process, _ credential: Credential,
    filesystem: UnsafePointer<kernel_filesystem>, workingDirectory: Vnode
  ) {
    let actor = ActingProcess(process)
    acting = Atomic(UInt(bitPattern: Unmanaged.passUnretained(actor).toOpaque()))
    state = PosixLock(
      State(actors: [actor], credential: credential, workingDirectory: workingDirectory))
    pointer = .allocate(capacity: 1)
    pointer.initialize(
      to: kernel_vfs_context(
        vc_filesystem: filesystem, vc_ucred: credential.pointer, vc_proc: nil))
    pointer.pointee.vc_proc = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit { pointer.deallocate() }

  /// The context behind what the kernel's functions pass around.
  static func of(_ context: UnsafePointer<kernel_vfs_context>) -> ProcessContext {
    guard let object = context.pointee.vc_proc else {
      preconditionFailure("a context without its process")
    }
    return of(process: object)
  }

  /// The context behind a process of the kernel.
  static func of(process: UnsafeRawPointer) -> ProcessContext {
    Unmanaged<ProcessContext>.fromOpaque(process).takeUnretainedValue()
  }

  /// Makes the context of a child: the same files are open, and everything else is as here.
  func forked(as process: Session.Process) -> ProcessContext {
    let (credential, directory, mask) = state.withLock { state in
      (state.credential, state.workingDirectory, state.creationMask)
    }
    let child = ProcessContext(
      process, credential, filesystem: pointer.pointee.vc_filesystem, workingDirectory: directory)
    child.creationMask = mask
    let table = descriptors.withLock { $0.forked() }
    child.descriptors.withLock { $0 = table }
    return child
  }

  /// Gives the process another credential: an exec does.
  func become(_ credential: Credential) {
    state.withLock { $0.credential = credential }
    pointer.pointee.vc_ucred = UnsafePointer(credential.pointer)
  }

  /// Changes who it is, for records.
  func rename(_ body: (inout Session.Process) -> Void) {
    state.withLock { state in
      var process = process
      body(&process)
      let actor = ActingProcess(process)
      state.actors.append(actor)
      acting.store(
        UInt(bitPattern: Unmanaged.passUnretained(actor).toOpaque()), ordering: .releasing)
    }
  }

  /// Who it is, for records.
  public var process: Session.Process { actor._withUnsafeGuaranteedRef { $0.process } }

  /// What the lanes of its threads get, without its references being counted on the way.
  ///
  /// Good as long as the context.
  var actor: Unmanaged<ActingProcess> {
    guard let object = UnsafeRawPointer(bitPattern: acting.load(ordering: .acquiring)) else {
      preconditionFailure("a process has an identity")
    }
    return Unmanaged.fromOpaque(object)
  }

  /// Whose rights count.
  public var credential: Credential { state.withLock { $0.credential } }

  /// Where relative paths begin.
  var workingDirectory: Vnode {
    get { state.withLock { $0.workingDirectory } }
    set { state.withLock { $0.workingDirectory = newValue } }
  }

  /// The permission bits that files made by the process do not get; 022 by default.
  public var creationMask: UInt16 {
    get { state.withLock { $0.creationMask } }
    set { state.withLock { $0.creationMask = newValue & 0o777 } }
  }

  /// How many files are open.
  public var openFiles: Int { descriptors.withLock { $0.count } }
}
