// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// The system calls that have no descriptor.
extension FileSystem {
  /// Says on whose behalf the thread is in the kernel.
  @discardableResult
  func enter(as context: ProcessContext) -> Lane {
    precondition(
      context.pointer.pointee.vc_filesystem == mount, "a process of another file system")
    let lane = Lane.current
    lane.act(as: context.actor)
    return lane
  }

  /// Gives a file another name; what has that name already goes.
  public func rename(
    _ from: String, to: String, _ flags: RenameFlags = [], as context: ProcessContext
  ) throws(DarwinErrno) {
    try call(from, to, context) { context, from, fromCount, to, toCount in
      renameat_internal(context, from, fromCount, to, toCount, flags.rawValue)
    }
  }

  /// Lets two files have each other's data.
  public func exchange(
    _ first: String, _ second: String, as context: ProcessContext
  ) throws(DarwinErrno) {
    try call(first, second, context) { exchangedata($0, $1, $2, $3, $4) }
  }

  /// Gives a file one more name.
  public func link(
    _ path: String, as link: String, by context: ProcessContext
  ) throws(DarwinErrno) {
    try call(path, link, context) { linkat_internal($0, $1, $2, $3, $4) }
  }

  /// Makes a symbolic link, which may lead anywhere.
  public func symlink(
    _ path: String, to target: String, as context: ProcessContext
  ) throws(DarwinErrno) {
    try call(path, target, context) { context, path, count, target, targetCount in
      var attributes = kernel_vnode_attr(
        va_type: UInt32(KERNEL_VLNK), va_mode: 0o777, va_target: target, va_targetlen: targetCount)
      return symlinkat_internal(context, &attributes, path, count)
    }
  }

  /// Takes a name of a file away.
  public func unlink(_ path: String, as context: ProcessContext) throws(DarwinErrno) {
    try call(path, context) { unlinkat_internal($0, $1, $2) }
  }

  /// Removes an empty directory.
  public func removeDirectory(_ path: String, as context: ProcessContext) throws(DarwinErrno) {
    try call(path, context) { rmdirat_internal($0, $1, $2) }
  }

  /// Makes a directory.
  public func makeDirectory(
    _ path: String, mode: UInt16 = 0o755, as context: ProcessContext
  ) throws(DarwinErrno) {
    try call(path, context) { context, path, count in
      var attributes = kernel_vnode_attr(
        va_type: UInt32(KERNEL_VDIR), va_mode: mode, va_target: nil, va_targetlen: 0)
      return mkdir1at(context, path, count, &attributes)
    }
  }

  /// Changes permission bits; what the rights cache knew of the file is forgotten.
  public func setMode(
    _ mode: UInt16, of path: String, as context: ProcessContext
  ) throws(DarwinErrno) {
    try found(path, context) { chmod_vnode($0, mode, $1) }
  }

  /// Changes where relative paths of a process begin.
  public func changeDirectory(_ path: String, as context: ProcessContext) throws(DarwinErrno) {
    try found(path, context) { node, caller in
      guard Int32(node.pointee.v_type) == KERNEL_VDIR else { return KERNEL_ENOTDIR }
      let error = vnode_authorize(node, nil, KERNEL_KAUTH_VNODE_SEARCH, caller)
      if error == 0 { context.workingDirectory = Vnode.of(node) }
      return error
    }
  }

  /// What is known of a file.
  public func status(_ path: String, as context: ProcessContext) throws(DarwinErrno) -> FileStatus {
    var status: FileStatus?
    try found(path, context) { node, caller in
      let error = vn_stat(node, caller)
      if error == 0 { status = self.status(of: Vnode.of(node)) }
      return error
    }
    guard let status else { throw .EINVAL }
    return status
  }

  private func status(of vnode: Vnode) -> FileStatus? {
    guard let type = FileStatus.FileType(vnodeType: vnode.type) else { return nil }
    let bytes = withContents(of: vnode) { vnode.contents.count }
    return reading {
      FileStatus(
        type: type, device: UInt64(vnode.node.pointee.v_fsid), number: vnode.node.pointee.v_fileid,
        mode: vnode.mode, user: vnode.user, group: vnode.group,
        links: vnode.isDirectory ? vnode.children.count + 2 : vnode.places.count,
        size: vnode.isDirectory ? vnode.children.count : vnode.isLink ? vnode.target.count : bytes)
    }
  }

  // MARK: Down to the kernel's functions

  private typealias Path = UnsafePointer<CChar>
  private typealias Caller = UnsafePointer<kernel_vfs_context>

  private func call(
    _ path: String, _ context: ProcessContext, _ body: (Caller, Path?, Int) -> Int32
  ) throws(DarwinErrno) {
    enter(as: context)
    try DarwinErrno.check(
      withBytes(path) { path in
        body(context.pointer, path.baseAddress?.assumingMemoryBound(to: CChar.self), path.count)
      })
  }

  private func call(
    _ first: String, _ second: String, _ context: ProcessContext,
    _ body: (Caller, Path?, Int, Path?, Int) -> Int32
  ) throws(DarwinErrno) {
    try call(first, context) { context, first, count in
      withBytes(second) { second in
        body(
          context, first, count, second.baseAddress?.assumingMemoryBound(to: CChar.self),
          second.count)
      }
    }
  }

  private func found(
    _ path: String, _ context: ProcessContext,
    _ body: (UnsafeMutablePointer<kernel_vnode>, Caller) -> Int32
  ) throws(DarwinErrno) {
    try call(path, context) { caller, path, count in
      var data = kernel_nameidata()
      data.ni_context = caller
      data.ni_path = path
      data.ni_pathlen = count
      data.ni_flags = UInt32(KERNEL_NAMEI_FOLLOW)
      return withUnsafeMutablePointer(to: &data) { data in
        let error = namei(data)
        guard error == 0, let node = data.pointee.ni_vp else { return error }
        defer { nameidone(data) }
        let isRefused =
          data.pointee.ni_needs_directory != 0 && Int32(node.pointee.v_type) != KERNEL_VDIR
        return isRefused ? KERNEL_ENOTDIR : body(node, caller)
      }
    }
  }

  /// The bytes of a text, in place where that is possible.
  func withBytes<Result, Failure: Error>(
    _ text: String, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var text = text
    // Only the closure's own errors can come out of it.
    let result = text.withUTF8 { bytes in
      Swift.Result<Result, Failure> { () throws(Failure) in try body(UnsafeRawBufferPointer(bytes))
      }
    }
    return try result.get()
  }
}
