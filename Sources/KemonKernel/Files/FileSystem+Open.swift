// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

extension FileSystem {
  // MARK: Opening and closing

  /// Opens a file, and makes it when asked to.
  ///
  /// - Parameter mode: permission bits of a file that is made.
  /// - Returns: the lowest free descriptor of the process.
  public func open(
    _ path: String, _ flags: OpenFlags, mode: UInt16 = 0o644, as context: ProcessContext
  ) throws(DarwinErrno) -> Int32 {
    try withBytes(path) { path throws(DarwinErrno) in
      try open(path, flags, mode: mode, as: context)
    }
  }

  /// Opens a file whose path may be any bytes.
  public func open(
    _ path: UnsafeRawBufferPointer, _ flags: OpenFlags, mode: UInt16 = 0o644,
    as context: ProcessContext
  ) throws(DarwinErrno) -> Int32 {
    guard !flags.isDisjoint(with: [.read, .write]) else { throw .EINVAL }
    let lane = enter(as: context)
    let descriptor = try context.descriptors.withLock { table throws(DarwinErrno) in
      try table.reserve()
    }
    lane.files.openMode = flags.rawValue
    let (error, file) = openAuthorized(path, flags, mode, context)
    lane.files.openMode = nil
    return try context.descriptors.withLock { table throws(DarwinErrno) in
      guard let file else {
        table.release(descriptor)
        throw DarwinErrno(rawValue: error)
      }
      try table.publish(descriptor, file)
      return descriptor
    }
  }

  private func openAuthorized(
    _ path: UnsafeRawBufferPointer, _ flags: OpenFlags, _ mode: UInt16, _ context: ProcessContext
  ) -> (Int32, OpenFile?) {
    var data = kernel_nameidata()
    data.ni_context = UnsafePointer(context.pointer)
    data.ni_path = path.baseAddress?.assumingMemoryBound(to: CChar.self)
    data.ni_pathlen = path.count
    if flags.isDisjoint(with: .noFollow), !flags.isSuperset(of: [.create, .exclusive]) {
      data.ni_flags |= UInt32(KERNEL_NAMEI_FOLLOW)
    }
    if flags.contains(.create) { data.ni_flags |= UInt32(KERNEL_NAMEI_PARENT) }
    var attributes = kernel_vnode_attr(
      va_type: UInt32(KERNEL_VREG), va_mode: mode, va_target: nil, va_targetlen: 0)
    var granted = flags.rawValue
    return withUnsafeMutablePointer(to: &data) { data in
      let error = vn_open_auth(data, &granted, &attributes)
      defer { nameidone(data) }
      // A hook may have the last word: it can refuse an open that was done, not do one that was refused.
      guard error == 0, let node = data.pointee.ni_vp else {
        return (error == 0 ? KERNEL_EIO : error, nil)
      }
      let vnode = Vnode.of(node)
      // Behind the notifications, as in XNU.
      if granted & KERNEL_O_TRUNC != 0, vnode.isFile {
        withContents(of: vnode) { vnode.contents.removeAll(keepingCapacity: true) }
      }
      return (0, OpenFile(vnode, mode: granted))
    }
  }

  /// Closes a descriptor.
  public func close(_ descriptor: Int32, as context: ProcessContext) throws(DarwinErrno) {
    enter(as: context)
    let file = try context.descriptors.withLock { table throws(DarwinErrno) in
      try table.beginClose(descriptor)
    }
    let isWritten = withContents(of: file.vnode) { file.isWritten }
    let error = close_internal(
      context.pointer, descriptor, file.vnode.node, isWritten ? 1 : 0)
    // Whatever is said about it, the descriptor is gone.
    context.descriptors.withLock { $0.release(descriptor) }
    try DarwinErrno.check(error)
  }

  // MARK: Data

  /// Writes behind what was read or written last, or at the end of a file that was opened for appending.
  public func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, as context: ProcessContext
  ) throws(DarwinErrno) {
    let file = try file(descriptor, KERNEL_FWRITE, context)
    withContents(of: file.vnode) {
      file.isWritten = true
      guard file.vnode.isFile else { return }
      if file.mode & KERNEL_O_APPEND != 0 { file.offset = file.vnode.contents.count }
      let missing = file.offset - file.vnode.contents.count
      if missing > 0 { file.vnode.contents.append(contentsOf: repeatElement(0, count: missing)) }
      let end = min(file.offset + bytes.count, file.vnode.contents.count)
      file.vnode.contents.replaceSubrange(file.offset..<end, with: bytes)
      file.offset += bytes.count
    }
  }

  /// Writes a text.
  public func write(
    _ text: String, to descriptor: Int32, as context: ProcessContext
  ) throws(DarwinErrno) {
    try withBytes(text) { bytes throws(DarwinErrno) in
      try write(bytes, to: descriptor, as: context)
    }
  }

  /// Reads up to a number of bytes behind what was read or written last; none at the end, and from devices.
  public func read(
    _ count: Int, from descriptor: Int32, as context: ProcessContext
  ) throws(DarwinErrno) -> [UInt8] {
    let file = try file(descriptor, KERNEL_FREAD, context)
    guard !file.vnode.isDirectory else { throw .EISDIR }
    return withContents(of: file.vnode) {
      let start = min(file.offset, file.vnode.contents.count)
      let end = min(start + max(0, count), file.vnode.contents.count)
      file.offset = end
      return Array(file.vnode.contents[start..<end])
    }
  }

  private func file(
    _ descriptor: Int32, _ access: Int32, _ context: ProcessContext
  ) throws(DarwinErrno) -> OpenFile {
    enter(as: context)
    let file = try context.descriptors.withLock { table throws(DarwinErrno) in
      try table.file(descriptor)
    }
    guard file.mode & access != 0 else { throw .EBADF }
    return file
  }
}
