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
    return walk.follow(path)
  }
}

/// One walk along a path.
private struct PathWalk {
  private let files: FileSystem
  private let data: UnsafeMutablePointer<kernel_nameidata>
  private let context: UnsafePointer<kernel_vfs_context>
  private let lane = Lane.current.number
  private var directory: Vnode
  private var linksFollowed = 0

  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  init(_ files: FileSystem, _ data: UnsafeMutablePointer<kernel_nameidata>) {
    self.files = files
    self.data = data
    guard let context = data.pointee.ni_context else {
      preconditionFailure("a path without its process")
    }
    self.context = context
    directory = files.root
  }

  /// Walks from the beginning; a symbolic link on the way begins a walk along what it leads to and what is left.
  mutating func follow(_ path: UnsafeRawBufferPointer) -> Int32 {
    if path.first != Self.slash, linksFollowed == 0 {
      directory = ProcessContext.of(context).workingDirectory
    } else if path.first == Self.slash {
      directory = files.root
    }
    let error = mac_vnode_check_lookup_preflight(
      context, directory.node, path.baseAddress?.assumingMemoryBound(to: CChar.self), path.count)
    guard error == 0 else { return error }
    var position = 0
    skipSlashes(path, &position)
    if position == path.count { return finishDotted(needsDirectory: true) }
    while true {
      let start = position
      while position < path.count, path[position] != Self.slash { position += 1 }
      let name = UnsafeRawBufferPointer(rebasing: path[start..<position])
      let end = position
      skipSlashes(path, &position)
      let isLast = position == path.count
      if isLast, end < position { data.pointee.ni_needs_directory = 1 }
      let step = enter(name, isLast: isLast)
      switch step {
      case .failed(let error): return error
      case .entered(let next): directory = next
      case .done: return 0
      case .link(let link): return follow(link, UnsafeRawBufferPointer(rebasing: path[end...]))
      }
      if isLast { return finishDotted(needsDirectory: false) }
    }
  }

  private enum Step {
    case failed(Int32)
    /// The directory that the name means.
    case entered(Vnode)
    /// The end of the path: the result is set.
    case done
    case link(Vnode)
  }

  private func enter(_ name: UnsafeRawBufferPointer, isLast: Bool) -> Step {
    guard directory.isDirectory else { return .failed(KERNEL_ENOTDIR) }
    guard name.count <= Int(KERNEL_NAME_MAX) else { return .failed(KERNEL_ENAMETOOLONG) }
    let error = check(name)
    guard error == 0 else { return .failed(error) }
    if name[0] == Self.dot {
      if name.count == 1 { return .entered(directory) }
      if name.count == 2, name[1] == Self.dot {
        return .entered(files.lock.read(lane) { directory.parent } ?? files.root)
      }
    }
    guard let found = files.lock.read(lane, { directory.children.find(name) }) else {
      guard isLast, data.pointee.ni_flags & UInt32(KERNEL_NAMEI_PARENT) != 0 else {
        return .failed(KERNEL_ENOENT)
      }
      finish(nil, name, in: directory)
      return .done
    }
    if found.isLink {
      let isFollowed =
        !isLast || data.pointee.ni_flags & UInt32(KERNEL_NAMEI_FOLLOW) != 0
        || data.pointee.ni_needs_directory != 0
      if isFollowed { return .link(found) }
    }
    guard isLast else { return .entered(found) }
    finish(found, name, in: directory)
    return .done
  }

  /// Asks the policies and, unless the directory's cache knows the answer, the vnode scope.
  private func check(_ name: UnsafeRawBufferPointer) -> Int32 {
    var component = kernel_componentname(
      cn_nameptr: name.baseAddress?.assumingMemoryBound(to: CChar.self),
      cn_namelen: UInt32(name.count), cn_flags: 0)
    let error = mac_vnode_check_lookup(context, directory.node, &component)
    guard error == 0 else { return error }
    let search = KERNEL_KAUTH_VNODE_SEARCH
    if vnode_cache_is_authorized(directory.node, context, search) != 0 { return 0 }
    return vnode_authorize(directory.node, nil, search, context)
  }

  private mutating func follow(_ link: Vnode, _ rest: UnsafeRawBufferPointer) -> Int32 {
    linksFollowed += 1
    guard linksFollowed <= Int(KERNEL_MAXSYMLINKS) else { return KERNEL_ELOOP }
    guard !link.target.isEmpty else { return KERNEL_ENOENT }
    var path = link.target
    path.append(contentsOf: rest)
    guard path.count < Int(KERNEL_MAXPATHLEN) else { return KERNEL_ENAMETOOLONG }
    return path.withUnsafeBytes { follow($0) }
  }

  /// Sets the result; the caller holds it.
  private func finish(_ vnode: Vnode?, _ name: UnsafeRawBufferPointer, in directory: Vnode) {
    setName(name)
    data.pointee.ni_dvp = directory.held()
    data.pointee.ni_vp = vnode?.held()
  }

  /// The path ends in the directory that it has come to, not in a name: it was `/`, or ended in `.` or `..`.
  private func finishDotted(needsDirectory: Bool) -> Int32 {
    let place = files.lock.read(lane) { directory.places.first.map { ($0.directory, $0.name) } }
    data.pointee.ni_vp = directory.held()
    if let (parent, name) = place {
      name.withUnsafeBytes { setName($0) }
      data.pointee.ni_dvp = parent.held()
    }
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
