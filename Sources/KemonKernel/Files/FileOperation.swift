// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// An operation on files that a thread is in: what its pre event said, for its post event.
///
/// Belongs to one thread; used again for the next operation.
struct FileOperation {
  /// How it is handed around: it lies in the memory of its thread's lane.
  typealias Handle = UnsafeMutablePointer<FileOperation>

  /// Whose hooks saw it begin.
  fileprivate(set) var owner: UnsafeRawPointer?
  /// What joins pre and post; 0 when nobody has been asked yet.
  var number: UInt64 = 0
  var kind = FileKind.open
  /// The open that it is: the path being looked up, and the flags that may be narrowed.
  var lookup: UnsafeMutablePointer<kernel_nameidata>?
  var grant: UnsafeMutablePointer<Int32>?
  var device: UInt64 = 0
  var inode: UInt64 = 0
  var flags: Int32 = 0
  var mode: UInt32 = 0
  /// Flags and mode as handlers want them to be; nil when they do not.
  var change: (flags: Int32, mode: UInt32)?
  /// What a file that is created gets.
  var attributes: UnsafeMutablePointer<kernel_vnode_attr>?
  /// The file.
  var path = PathRoom()
  /// The new name, or the other file.
  var other = PathRoom()
  /// The operation that this one is inside of, and the one inside of it: made when it is first needed, and kept.
  fileprivate let outer: Handle?
  fileprivate var inner: Handle?

  fileprivate init(inside outer: Handle?) { self.outer = outer }

  fileprivate mutating func begin(_ owner: UnsafeRawPointer?) {
    self.owner = owner
    number = 0
    lookup = nil
    grant = nil
    attributes = nil
    change = nil
  }

  /// Notes which file it is about.
  mutating func take(_ vnode: UnsafePointer<kernel_vnode>) {
    device = UInt64(vnode.pointee.v_fsid)
    inode = vnode.pointee.v_fileid
  }
}

/// What a thread does with files: an address, as that of its lane.
struct FileLane {
  private let state: UnsafeMutablePointer<State>

  private struct State {
    var openMode: Int32?
    var listening = 0
    // As deep as listeners that open files themselves go.
    let outermost: FileOperation.Handle
    var innermost: FileOperation.Handle?
  }

  init() {
    state = .allocate(capacity: 1)
    state.initialize(to: State(outermost: Self.make(inside: nil)))
  }

  func deallocate() {
    var next: FileOperation.Handle? = state.pointee.outermost
    while let operation = next {
      next = operation.pointee.inner
      operation.pointee.path.deallocate()
      operation.pointee.other.deallocate()
      operation.deallocate()
    }
    state.deallocate()
  }

  private static func make(
    inside outer: FileOperation.Handle?
  ) -> FileOperation.Handle {
    let operation = FileOperation.Handle.allocate(capacity: 1)
    operation.initialize(to: FileOperation(inside: outer))
    return operation
  }

  /// The flags of the open that the thread is in, as a listener could read them in the frame of vn_open_auth.
  var openMode: Int32? {
    get { state.pointee.openMode }
    nonmutating set { state.pointee.openMode = newValue }
  }

  /// How many calls of Kemon's listener the thread is in.
  var listening: Int {
    get { state.pointee.listening }
    nonmutating set { state.pointee.listening = newValue }
  }

  /// Notes that an operation begins.
  ///
  /// - Parameter owner: the hooks that saw it; nil for a listener, to whom it has no beginning.
  func begin(_ owner: UnsafeRawPointer?) -> FileOperation.Handle {
    let operation = next
    operation.pointee.begin(owner)
    state.pointee.innermost = operation
    return operation
  }

  private var next: FileOperation.Handle {
    guard let innermost = state.pointee.innermost else { return state.pointee.outermost }
    if let known = innermost.pointee.inner { return known }
    let made = Self.make(inside: innermost)
    innermost.pointee.inner = made
    return made
  }

  /// The operation that the thread is in, if those hooks saw it begin.
  func current(_ owner: UnsafeRawPointer) -> FileOperation.Handle? {
    guard let innermost = state.pointee.innermost, innermost.pointee.owner == owner else {
      return nil
    }
    return innermost
  }

  /// Notes that the innermost operation is over.
  func end() { state.pointee.innermost = state.pointee.innermost?.pointee.outer }
}

/// Room for a path, and the path in it; whoever makes one deallocates it.
struct PathRoom {
  private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 8)
  /// Bytes of the path; nil when the file has none.
  private(set) var count: Int?
  /// Whether the path is longer than the room.
  private(set) var isTooLong = false

  func deallocate() { room.deallocate() }

  /// The path; empty when there is none.
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: room[..<(count ?? 0)])
  }

  /// Copies a path.
  ///
  /// - Parameter path: nil for none.
  mutating func set(_ path: UnsafeRawBufferPointer?) {
    guard let path else {
      count = nil
      return
    }
    fill { room in
      guard path.count <= room.count else { return (KERNEL_ENOSPC, 0) }
      room.copyMemory(from: path)
      return (0, path.count)
    }
  }

  /// Fills the room by a function that returns an errno and how many bytes the path has.
  @inline(__always)
  mutating func fill(_ body: (UnsafeMutableRawBufferPointer) -> (Int32, Int)) {
    let (error, count) = body(room)
    self.count = error == 0 ? count : nil
    isTooLong = error == KERNEL_ENOSPC
  }
}
