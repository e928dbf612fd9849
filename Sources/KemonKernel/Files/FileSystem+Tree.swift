// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

/// Something to be put into the tree.
struct TreeEntry: Sendable {
  let type: FileStatus.FileType
  let mode: UInt16
  let user: UInt32
  let group: UInt32
  var contents: [UInt8] = []
  var target: [UInt8] = []
}

/// The tree as the model itself sees it: nobody is asked, nobody is told.
extension FileSystem {
  /// Puts something into the tree, with the directories on the way; what is there already is replaced, a directory gets
  /// the new mode and stays.
  ///
  /// - Throws: ENOTDIR where a file is in the way, EISDIR where a directory is, EINVAL for a path without a name.
  func place(_ entry: TreeEntry, at path: String) throws(DarwinErrno) {
    var names = path.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }
    guard let last = names.popLast(), !names.contains(where: Self.isDotted), !Self.isDotted(last)
    else { throw .EINVAL }
    let error = lock.write {
      var directory = root
      for name in names {
        directory = child(name, of: directory) ?? put(Self.directory, name, in: directory)
        guard directory.isDirectory else { return KERNEL_ENOTDIR }
      }
      guard let old = child(last, of: directory) else {
        _ = put(entry, last, in: directory)
        return 0
      }
      if old.isDirectory, entry.type == .directory {
        old.mode = entry.mode
        vnode_uncache_authorized_action(old.node)
        return 0
      }
      guard !old.isDirectory else { return KERNEL_EISDIR }
      last.withUnsafeBytes { name in
        directory.children.remove(name)
        old.removeName(name, in: directory)
      }
      _ = put(entry, last, in: directory)
      return 0
    }
    try DarwinErrno.check(error)
  }

  /// The vnode of an absolute path without links.
  func vnode(_ path: String) throws(DarwinErrno) -> Vnode {
    var vnode = root
    for name in path.utf8.split(separator: UInt8(ascii: "/")) {
      guard let next = reading({ child(Array(name), of: vnode) }) else { throw .ENOENT }
      vnode = next
    }
    return vnode
  }

  /// Every path, sorted: what a test compares before and after.
  var paths: [String] {
    var found: [String] = []
    reading {
      var rest = [("", root)]
      while let (path, directory) = rest.popLast() {
        for (name, vnode) in directory.children.all {
          let path = path + "/" + String(decoding: name, as: UTF8.self)
          found.append(path)
          if vnode.isDirectory { rest.append((path, vnode)) }
        }
      }
    }
    return found.sorted()
  }

  /// Empties the tree and forgets all processes, as after a new start of the machine.
  func reset() {
    var removed: [Vnode] = []
    lock.write {
      var rest = [root]
      // Directory by directory: a deep tree must not be a deep recursion.
      while let directory = rest.popLast() {
        for (name, vnode) in directory.children.all {
          name.withUnsafeBytes { vnode.removeName($0, in: directory) }
          removed.append(vnode)
          if vnode.isDirectory { rest.append(vnode) }
        }
        directory.children.removeAll()
      }
    }
    forgetProcesses()
  }

  private static let directory = TreeEntry(type: .directory, mode: 0o755, user: 0, group: 0)

  private static func isDotted(_ name: [UInt8]) -> Bool {
    name == Array(".".utf8) || name == Array("..".utf8)
  }

  private func child(_ name: [UInt8], of directory: Vnode) -> Vnode? {
    name.withUnsafeBytes { directory.children.find($0) }
  }

  /// Puts a new vnode under a free name; under the lock.
  private func put(_ entry: TreeEntry, _ name: [UInt8], in directory: Vnode) -> Vnode {
    let vnode = Vnode(
      entry.type.vnodeType, number: nextNumber(), device: Self.device, mode: entry.mode,
      user: entry.user, group: entry.group, target: entry.target, mount: mount)
    vnode.contents = entry.contents
    directory.children.insert(name, vnode)
    vnode.add(name, in: directory)
    return vnode
  }
}
