// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// What happens to the tree: each change under the lock, with a last look at whether it is still what was looked up.
extension FileSystem {
  /// A name in a directory, and the vnode that it was found to mean.
  struct Name {
    let directory: Vnode
    let bytes: UnsafeRawBufferPointer
    let vnode: Vnode?

    init(_ directory: Vnode, _ bytes: UnsafeRawBufferPointer, _ vnode: Vnode?) {
      self.directory = directory
      self.bytes = bytes
      self.vnode = vnode
    }

    /// Whether the name still means what it meant.
    var holds: Bool { directory.children.find(bytes) === vnode }

    var array: [UInt8] { Array(bytes) }
  }

  /// Makes a file, a directory or a symbolic link; the caller holds what `result` is set to.
  func create(
    _ name: UnsafeRawBufferPointer, in directory: Vnode, _ attributes: kernel_vnode_attr,
    for caller: ProcessContext, _ result: UnsafeMutablePointer<UnsafeMutablePointer<kernel_vnode>?>
  ) -> Int32 {
    let target = UnsafeRawBufferPointer(
      start: attributes.va_target, count: attributes.va_target == nil ? 0 : attributes.va_targetlen)
    // The group is the directory's, as BSD has it.
    let vnode = Vnode(
      Int32(attributes.va_type), number: nextNumber(), device: Self.device,
      mode: attributes.va_mode & 0o7777 & ~caller.creationMask, user: caller.credential.user,
      group: directory.group, target: Array(target), mount: mount)
    let error = lock.write { insert(vnode, name, in: directory) }
    if error == 0 { result.pointee = vnode.held() }
    return error
  }

  /// Puts a vnode into the tree; under the lock.
  func insert(_ vnode: Vnode, _ name: UnsafeRawBufferPointer, in directory: Vnode) -> Int32 {
    guard isInTree(directory) else { return KERNEL_ENOENT }
    guard directory.children.find(name) == nil else { return KERNEL_EEXIST }
    let name = Array(name)
    directory.children.insert(name, vnode)
    vnode.add(name, in: directory)
    return 0
  }

  /// Takes a name away; a directory must be empty.
  func remove(_ name: UnsafeRawBufferPointer, of vnode: Vnode, in directory: Vnode) -> Int32 {
    lock.write {
      guard directory.children.find(name) === vnode else { return KERNEL_ENOENT }
      guard vnode.children.isEmpty else { return KERNEL_ENOTEMPTY }
      drop(name, of: vnode, in: directory)
      return 0
    }
  }

  private func drop(_ name: UnsafeRawBufferPointer, of vnode: Vnode, in directory: Vnode) {
    directory.children.remove(name)
    vnode.removeName(name, in: directory)
  }

  /// Gives a file another name, in place of what has it.
  func rename(_ from: Name, _ to: Name, _ flags: RenameFlags) -> Int32 {
    lock.write {
      guard let vnode = from.vnode, from.holds, isInTree(to.directory) else { return KERNEL_ENOENT }
      guard to.holds else { return to.vnode == nil ? KERNEL_EEXIST : KERNEL_ENOENT }
      guard !vnode.isDirectory || !contains(vnode, to.directory) else { return KERNEL_EINVAL }
      if flags.contains(.swap) { return swap(from, to) }
      if let old = to.vnode {
        guard old.children.isEmpty else { return KERNEL_ENOTEMPTY }
        drop(to.bytes, of: old, in: to.directory)
      }
      drop(from.bytes, of: vnode, in: from.directory)
      let name = to.array
      to.directory.children.insert(name, vnode)
      vnode.add(name, in: to.directory)
      return 0
    }
  }

  private func swap(_ one: Name, _ other: Name) -> Int32 {
    guard let first = one.vnode, let second = other.vnode else { return KERNEL_ENOENT }
    guard !second.isDirectory || !contains(second, one.directory) else { return KERNEL_EINVAL }
    first.removeName(one.bytes, in: one.directory)
    second.removeName(other.bytes, in: other.directory)
    one.directory.children.replace(one.bytes, with: second)
    other.directory.children.replace(other.bytes, with: first)
    second.add(one.array, in: one.directory)
    first.add(other.array, in: other.directory)
    return 0
  }

  /// Gives a file one more name.
  func link(_ vnode: Vnode, _ name: UnsafeRawBufferPointer, in directory: Vnode) -> Int32 {
    lock.write {
      guard isInTree(vnode) else { return KERNEL_ENOENT }
      return insert(vnode, name, in: directory)
    }
  }

  /// Lets two files have each other's data.
  func exchange(_ first: Vnode, _ second: Vnode) -> Int32 {
    // In the order of their locks, which may be one and the same.
    let order = [first, second].sorted { contentLock(of: $0) < contentLock(of: $1) }
    if contentLock(of: first) == contentLock(of: second) {
      withContents(of: first) { Swift.swap(&first.contents, &second.contents) }
    } else {
      withContents(of: order[0]) {
        withContents(of: order[1]) { Swift.swap(&first.contents, &second.contents) }
      }
    }
    return 0
  }

  /// Whether a vnode has a name, or is the root; under the lock.
  func isInTree(_ vnode: Vnode) -> Bool { vnode === root || !vnode.places.isEmpty }

  /// Whether a vnode is a directory or lies in it; under the lock.
  func contains(_ directory: Vnode, _ vnode: Vnode) -> Bool {
    var next: Vnode? = vnode
    while let current = next {
      if current === directory { return true }
      next = current.parent
    }
    return false
  }
}
