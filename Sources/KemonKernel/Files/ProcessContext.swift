// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

// Unchecked: `pointer` is written once before the object is shared, the rest is behind locks.
/// A process in the kernel's file layer: its credential, its working directory, its open files.
///
/// Made by ``FileSystem/context(for:groups:)``, and good for that file system.
public final class ProcessContext: @unchecked Sendable {
  /// Who it is, for records.
  public let process: Session.Process
  /// Whose rights count.
  public let credential: Credential
  /// What the kernel's functions are given.
  let pointer: UnsafeMutablePointer<kernel_vfs_context>
  let descriptors = PosixLock(DescriptorTable())
  private let state: PosixLock<State>

  private struct State {
    var workingDirectory: Vnode
    var creationMask: UInt16 = 0o022
  }

  init(
    _ process: Session.Process, _ credential: Credential,
    filesystem: UnsafePointer<kernel_filesystem>, workingDirectory: Vnode
  ) {
    self.process = process
    self.credential = credential
    state = PosixLock(State(workingDirectory: workingDirectory))
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
