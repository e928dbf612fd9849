// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform
internal import Synchronization

// Unchecked: raw memory that is written once before the object is shared; the tree is behind its lock.
/// The files of a kernel: a tree in memory with owners, modes and symbolic links, below the kernel's own system calls.
///
/// ```swift
/// let bash = files.context(for: process)
/// let descriptor = try files.open("/etc/hosts", [.read], as: bash)
/// try files.close(descriptor, as: bash)
/// ```
///
/// System calls run in the kernel image, function by function as XNU has them, and come back for what they do to files:
/// a hook that skips one of those functions leaves the tree as it is. Any number of threads.
public final class FileSystem: @unchecked Sendable {
  /// The kernel that it is.
  public let release: KernelRelease
  /// Who is asked for permission, and told what was done.
  public let kauth: KauthScopes
  let policies: PolicyCheck
  let root: Vnode
  let rootNode: UnsafeMutablePointer<kernel_vnode>
  let lock = TreeLock()
  /// For the contents of files, by inode number.
  private let contentLocks = LockStripes(64)
  private let filesystem: UnsafeMutablePointer<kernel_filesystem>
  private let operations: UnsafeMutablePointer<kernel_file_operations>
  private let lastNumber = Atomic<UInt64>(2)
  private let processes = PosixLock([Int32: ProcessContext]())

  /// The device number of the only disk.
  static let device: UInt32 = 0x0100_0004

  /// Makes a file system that holds nothing but its root.
  ///
  /// - Parameters:
  ///   - release: decides what the kernel's functions do and tell.
  ///   - kauth: the scopes of the same kernel; this becomes the owner of its vnode scope.
  public convenience init(release: KernelRelease = .macOS10_13_6, kauth: KauthScopes) {
    self.init(release: release, kauth: kauth, policies: .none)
  }

  init(release: KernelRelease, kauth: KauthScopes, policies: PolicyCheck) {
    self.release = release
    self.kauth = kauth
    self.policies = policies
    operations = .allocate(capacity: 1)
    operations.initialize(to: Self.operations)
    filesystem = .allocate(capacity: 1)
    filesystem.initialize(
      to: kernel_filesystem(
        operations: operations, context: nil, kauth: kauth.pointer, policies: policies.mask,
        will_rename: release.hasWillRename ? 1 : 0))
    root = Vnode(
      KERNEL_VDIR, number: 2, device: Self.device, mode: 0o755, user: 0, group: 0,
      mount: UnsafePointer(filesystem))
    rootNode = root.node
    let context = Unmanaged.passUnretained(self).toOpaque()
    filesystem.pointee.context = context
    kernel_kauth_set_callback(
      kernel_kauth_scope_of(kauth.pointer, KERNEL_KAUTH_SCOPE_VNODE), Self.authorizeVnode, context)
    kernel_kauth_set_callback(
      kernel_kauth_scope_of(kauth.pointer, KERNEL_KAUTH_SCOPE_PROCESS), Self.authorizeProcess, nil)
  }

  deinit {
    reset()
    lock.deallocate()
    contentLocks.deallocate()
    filesystem.deallocate()
    operations.deallocate()
  }

  /// What the kernel's functions know the file system by.
  var mount: UnsafePointer<kernel_filesystem> { UnsafePointer(filesystem) }

  /// The process of that number: made when it is first asked for, with the root as its working directory.
  ///
  /// - Parameter groups: behind the process' own one.
  public func context(for process: Session.Process, groups: [UInt32] = []) -> ProcessContext {
    processes.withLock { processes in
      if let known = processes[process.pid], known.process == process { return known }
      let made = ProcessContext(
        process, kauth.credential(user: process.uid, groups: [process.gid] + groups),
        filesystem: mount, workingDirectory: root)
      processes[process.pid] = made
      return made
    }
  }

  /// Forgets a process; its files are closed, and nobody is told of that, as in XNU.
  public func exit(_ context: ProcessContext) {
    context.descriptors.withLock { $0.end() }
    let pid = context.process.pid
    processes.withLock { processes in
      if processes[pid] === context { processes[pid] = nil }
    }
  }

  func forgetProcesses() { processes.withLock { $0.removeAll() } }

  /// A number for a new vnode.
  func nextNumber() -> UInt64 { lastNumber.wrappingAdd(1, ordering: .relaxed).newValue }

  /// Runs a closure that reads the tree.
  @inline(__always)
  func reading<Result>(_ body: () -> Result) -> Result {
    lock.read(Lane.current.number, body)
  }

  /// Which lock a file's contents are behind.
  func contentLock(of vnode: Vnode) -> Int {
    Int(truncatingIfNeeded: vnode.node.pointee.v_fileid) & (contentLocks.count - 1)
  }

  /// Runs a closure that has a file's contents to itself.
  func withContents<Result>(of vnode: Vnode, _ body: () -> Result) -> Result {
    contentLocks.withLock(contentLock(of: vnode), body)
  }

  /// The file system behind what the kernel's functions pass around, without touching its reference count.
  @inline(__always)
  static func with<Result>(
    _ context: UnsafeMutableRawPointer?, _ body: (FileSystem) -> Result
  ) -> Result {
    guard let context else { preconditionFailure("a file system without its object") }
    return Unmanaged<FileSystem>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
  }
}
