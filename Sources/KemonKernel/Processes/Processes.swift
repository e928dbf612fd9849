// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import Glibc
internal import KemonPlatform

// Unchecked: raw memory that is written once before the object is shared; the table is behind its lock.
/// The processes of a kernel: a table with a tree in it, below the kernel's own fork, exec and exit.
///
/// ```swift
/// let shell = model.processes.adopt(bash)
/// let child = try model.processes.fork(shell)
/// try model.processes.execute("/bin/ls", ["ls", "-l"], as: child)
/// try model.processes.exit(child, status: 0)
/// ```
///
/// A hook that skips one of the kernel's functions leaves the table as it is. Any number of threads; but of one process
/// only the thread that executes, as in XNU, where the others have ended before.
public final class Processes: @unchecked Sendable {
  /// The files of the same kernel.
  public let files: FileSystem
  let policies: ProcessPolicies
  let pointer: UnsafeMutablePointer<kernel_processes>
  private let operations: UnsafeMutablePointer<kernel_process_operations>
  private let table = PosixLock(Table())

  /// How many processes there may be.
  public struct Limits: Sendable {
    /// Of all users: kern.maxproc, of which the last one is the superuser's.
    public var all = 1064
    /// Of one user that is not the superuser: kern.maxprocperuid.
    public var perUser = 709
  }

  private struct Table {
    var processes: [Int32: ModelProcess] = [:]
    var lastPID: Int32 = 99
    var lastStart: UInt64 = 0
    var limits = Limits()
    var sharedCache: Set<String> = []
  }

  /// The highest number of a process.
  private static let highestPID: Int32 = 99_999

  /// Makes an empty table; it becomes the owner of the scope of processes.
  init(files: FileSystem, policies: ProcessPolicies = .none) {
    self.files = files
    self.policies = policies
    operations = .allocate(capacity: 1)
    operations.initialize(to: Self.operations)
    pointer = .allocate(capacity: 1)
    pointer.initialize(
      to: kernel_processes(operations: operations, context: nil, policies: policies.mask))
    let context = Unmanaged.passUnretained(self).toOpaque()
    pointer.pointee.context = context
    kernel_kauth_set_callback(
      kernel_kauth_scope_of(files.kauth.pointer, KERNEL_KAUTH_SCOPE_PROCESS), Self.authorize,
      context)
  }

  deinit {
    kernel_kauth_set_callback(
      kernel_kauth_scope_of(files.kauth.pointer, KERNEL_KAUTH_SCOPE_PROCESS),
      FileSystem.authorizeProcess, nil)
    pointer.deallocate()
    operations.deallocate()
  }

  // MARK: The table

  /// How many processes there may be; forks beyond that fail with EAGAIN.
  public var limits: Limits {
    get { table.withLock { $0.limits } }
    set { table.withLock { $0.limits = newValue } }
  }

  /// All processes, zombies included, by their numbers.
  public var all: [ModelProcess] {
    table.withLock { Array($0.processes.values) }.sorted { $0.pid < $1.pid }
  }

  /// The process of that number.
  public func find(_ pid: Int32) -> ModelProcess? { table.withLock { $0.processes[pid] } }

  /// The children of a process, zombies included.
  public func children(of process: ModelProcess) -> [ModelProcess] {
    all.filter { $0.identity.ppid == process.pid && $0 !== process }
  }

  /// Puts a process into the table that is there from the beginning; one of that number that is there already stays.
  ///
  /// - Parameter identity: its start is set here. Its parent is named after the table when it names none.
  @discardableResult
  public func adopt(_ identity: Session.Process) -> ModelProcess {
    if let known = find(identity.pid) { return known }
    var identity = identity
    if identity.parent == nil { identity.parent = find(identity.ppid)?.identity.comm }
    identity.startNanoseconds = nextStart()
    let made = ModelProcess(files.context(for: identity), in: pointer)
    return table.withLock { table in
      if let known = table.processes[made.pid] { return known }
      table.processes[made.pid] = made
      table.lastPID = max(table.lastPID, made.pid)
      return made
    }
  }

  /// Empties the table, as after a new start of the machine.
  func restart() {
    let gone = table.withLock { table in
      defer { table = Table() }
      return table.processes
    }
    // What is closed with them must not be closed under the lock.
    withExtendedLifetime(gone) {}
  }

  /// A time that no process of the table started at.
  func nextStart() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let now = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    return table.withLock { table in
      table.lastStart = max(table.lastStart + 1, now)
      return table.lastStart
    }
  }

  /// A free number: the next one, from the beginning when the highest is reached.
  func nextPID() -> Int32 {
    table.withLock { table in
      repeat {
        table.lastPID = table.lastPID >= Self.highestPID ? 100 : table.lastPID + 1
      } while table.processes[table.lastPID] != nil
      return table.lastPID
    }
  }

  /// Adds a child; false when its number is taken.
  func insert(_ child: ModelProcess) -> Bool {
    table.withLock { table in
      guard table.processes[child.pid] == nil else { return false }
      table.processes[child.pid] = child
      return true
    }
  }

  /// Takes a process out: its parent knows how it ended, or nobody wants to.
  ///
  /// - Returns: false when somebody else has done so.
  @discardableResult
  func remove(_ process: ModelProcess) -> Bool {
    table.withLock { table in
      guard table.processes[process.pid] === process else { return false }
      table.processes[process.pid] = nil
      return true
    }
  }

  // MARK: What images leave

  /// Paths of images that are in the shared cache: the kernel sees nothing when they are loaded.
  public var sharedCache: Set<String> {
    get { table.withLock { $0.sharedCache } }
    set { table.withLock { $0.sharedCache = newValue } }
  }

  /// Keeps a slice's signature, which counts for what is mapped of it, whatever is written to the file later.
  func add(_ slice: SignedSlice, of vnode: Vnode) {
    files.withContents(of: vnode) { vnode.signatures.append(slice) }
  }

  /// The signature that counts at an offset of a file; nil when the kernel has none.
  func signature(of vnode: Vnode, at offset: UInt64) -> SignedSlice? {
    files.withContents(of: vnode) {
      vnode.signatures.filter { $0.offset <= offset }.max { $0.offset < $1.offset }
    }
  }

  /// The table behind what the kernel's functions pass around, without touching its reference count.
  @inline(__always)
  static func with<Result>(
    _ context: UnsafeMutableRawPointer?, _ body: (Processes) -> Result
  ) -> Result {
    guard let context else { preconditionFailure("processes without their object") }
    return Unmanaged<Processes>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
  }
}
