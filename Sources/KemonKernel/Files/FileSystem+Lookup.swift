// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// Walking along paths: what namei comes back for.
extension FileSystem {
  /// Looks a path up, component by component; every directory on the way is checked as XNU does it.
  func lookup(_ data: UnsafeMutablePointer<kernel_nameidata>) -> Int32 {
    let path = UnsafeRawBufferPointer(start: data.pointee.ni_path, count: data.pointee.ni_pathlen)
    guard !path.isEmpty else { return KERNEL_ENOENT }
    guard path.count < Int(KERNEL_MAXPATHLEN) else { return KERNEL_ENAMETOOLONG }
    var walk = PathWalk(self, data)
    let error = walk.follow(path)
    walk.end()
    return error
  }
}

/// One walk along a path.
///
/// On the way it holds the directory that it is in, and nothing else. The root needs no hold: every walk of every thread
/// would count there.
private struct PathWalk {
  private typealias Node = UnsafeMutablePointer<kernel_vnode>

  private let lock: TreeLock
  private let data: UnsafeMutablePointer<kernel_nameidata>
  private let context: UnsafePointer<kernel_vfs_context>
  private let lane = Lane.current.number
  private let root: Node
  private var directory: Node
  private var linksFollowed = 0

  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  init(_ files: FileSystem, _ data: UnsafeMutablePointer<kernel_nameidata>) {
    lock = files.lock
    self.data = data
    guard let context = data.pointee.ni_context else {
      preconditionFailure("a path without its process")
    }
    self.context = context
    root = files.rootNode
    directory = root
  }

  /// Lets go of the directory.
  func end() {
    if directory != root { Vnode.put(directory) }
  }

  /// Goes on in a directory that is held, or the root.
  private mutating func go(to next: Node) {
    end()
    directory = next
  }

  private func hold(_ directory: Node) {
    if directory != root { Vnode.hold(directory) }
  }

  @inline(__always)
  private func reading<Result>(_ body: () -> Result) -> Result {
    lock.read(lane, body)
  }

  /// Walks from the beginning; a symbolic link on the way begins a walk along what it leads to and what is left.
  mutating func follow(_ path: UnsafeRawBufferPointer) -> Int32 {
    if path.first == Self.slash {
      go(to: root)
    } else if linksFollowed == 0 {
      let start = ProcessContext.of(context).workingDirectory
      hold(start.node)
      go(to: start.node)
    }
    let error = mac_vnode_check_lookup_preflight(
      context, directory, path.baseAddress?.assumingMemoryBound(to: CChar.self), path.count)
    guard error == 0 else { return error }
    var position = 0
    skipSlashes(path, &position)
    if position == path.count { return finishDotted() }
    while true {
      let start = position
      while position < path.count, path[position] != Self.slash { position += 1 }
      let name = UnsafeRawBufferPointer(rebasing: path[start..<position])
      let end = position
      skipSlashes(path, &position)
      let isLast = position == path.count
      if isLast, end < position { data.pointee.ni_needs_directory = 1 }
      switch enter(name, isLast: isLast) {
      case .failed(let error): return error
      case .entered(let next): go(to: next)
      case .done: return 0
      case .link(let link):
        defer { Vnode.put(link) }
        return follow(link, UnsafeRawBufferPointer(rebasing: path[end...]))
      }
      if isLast { return finishDotted() }
    }
  }

  private enum Step {
    case failed(Int32)
    /// The directory that the name means, held.
    case entered(Node)
    /// The end of the path: the result is set.
    case done
    /// A symbolic link, held.
    case link(Node)
  }

  private func enter(_ name: UnsafeRawBufferPointer, isLast: Bool) -> Step {
    guard Int32(directory.pointee.v_type) == KERNEL_VDIR else { return .failed(KERNEL_ENOTDIR) }
    guard name.count <= Int(KERNEL_NAME_MAX) else { return .failed(KERNEL_ENAMETOOLONG) }
    let error = check(name)
    guard error == 0 else { return .failed(error) }
    if name[0] == Self.dot {
      if name.count == 1 {
        hold(directory)
        return .entered(directory)
      }
      if name.count == 2, name[1] == Self.dot {
        return .entered(
          reading {
            let parent = directory.pointee.v_parent.map { Node(mutating: $0) } ?? root
            hold(parent)
            return parent
          })
      }
    }
    guard let found = find(name) else {
      guard isLast, data.pointee.ni_flags & UInt32(KERNEL_NAMEI_PARENT) != 0 else {
        return .failed(KERNEL_ENOENT)
      }
      finish(nil, name)
      return .done
    }
    if Int32(found.pointee.v_type) == KERNEL_VLNK {
      let isFollowed =
        !isLast || data.pointee.ni_flags & UInt32(KERNEL_NAMEI_FOLLOW) != 0
        || data.pointee.ni_needs_directory != 0
      if isFollowed { return .link(found) }
    }
    guard isLast else { return .entered(found) }
    finish(found, name)
    return .done
  }

  /// What a name means in the directory, held.
  private func find(_ name: UnsafeRawBufferPointer) -> Node? {
    reading {
      Vnode.with(directory) { directory in
        directory.children.place(of: name)?._withUnsafeGuaranteedRef { $0.held() }
      }
    }
  }

  /// Asks the policies and, unless the directory's cache knows the answer, the vnode scope.
  private func check(_ name: UnsafeRawBufferPointer) -> Int32 {
    var component = kernel_componentname(
      cn_nameptr: name.baseAddress?.assumingMemoryBound(to: CChar.self),
      cn_namelen: UInt32(name.count), cn_flags: 0)
    let error = mac_vnode_check_lookup(context, directory, &component)
    guard error == 0 else { return error }
    let search = KERNEL_KAUTH_VNODE_SEARCH
    if vnode_cache_is_authorized(directory, context, search) != 0 { return 0 }
    return vnode_authorize(directory, nil, search, context)
  }

  private mutating func follow(_ link: Node, _ rest: UnsafeRawBufferPointer) -> Int32 {
    linksFollowed += 1
    guard linksFollowed <= Int(KERNEL_MAXSYMLINKS) else { return KERNEL_ELOOP }
    var path = Vnode.of(link).target
    guard !path.isEmpty else { return KERNEL_ENOENT }
    path.append(contentsOf: rest)
    guard path.count < Int(KERNEL_MAXPATHLEN) else { return KERNEL_ENAMETOOLONG }
    return path.withUnsafeBytes { follow($0) }
  }

  /// Sets the result, which the caller holds: the directory, and what was found there.
  ///
  /// - Parameter found: held already.
  private func finish(_ found: Node?, _ name: UnsafeRawBufferPointer) {
    setName(name)
    Vnode.hold(directory)
    data.pointee.ni_dvp = directory
    data.pointee.ni_vp = found
  }

  /// The path ends in the directory that it has come to, not in a name: it was `/`, or ended in `.` or `..`.
  private func finishDotted() -> Int32 {
    reading {
      guard let parent = directory.pointee.v_parent else { return }
      setName(
        UnsafeRawBufferPointer(
          start: directory.pointee.v_name, count: Int(directory.pointee.v_namelen)))
      Vnode.hold(parent)
      data.pointee.ni_dvp = Node(mutating: parent)
    }
    Vnode.hold(directory)
    data.pointee.ni_vp = directory
    data.pointee.ni_cnd.cn_flags |= UInt32(KERNEL_CN_DOT)
    return 0
  }

  private func setName(_ name: UnsafeRawBufferPointer) {
    withUnsafeMutableBytes(of: &data.pointee.ni_name) { $0.copyMemory(from: name) }
    data.pointee.ni_cnd.cn_namelen = UInt32(name.count)
  }

  private func skipSlashes(_ path: UnsafeRawBufferPointer, _ position: inout Int) {
    while position < path.count, path[position] == Self.slash { position += 1 }
  }
}
