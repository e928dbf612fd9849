// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonEvents
internal import KemonHooks

extension ProcessMonitor {
  /// A file is mapped: told when it is code, and the way in which dyld maps segments, as the original had it.
  ///
  /// The first pages, which dyld maps shared to compare them, are none of these mappings.
  func willMap(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    guard process(frame.pointee.rsi) != nil,
      let file = UnsafePointer<kernel_fileglob>(bitPattern: UInt(frame.pointee.rdx)),
      let request = UnsafePointer<kernel_mmap_args>(bitPattern: UInt(frame.pointee.rcx)),
      request.pointee.prot & KERNEL_PROT_EXEC != 0,
      request.pointee.flags & (KERNEL_MAP_PRIVATE | KERNEL_MAP_FIXED) != 0,
      let node = file.pointee.fg_data
    else { return Int32(CKEMON_PROCEED) }
    let verdict = records.mapping(of: Vnode.of(node), request.pointee, in: processes.files)
    guard verdict.isDenied else { return Int32(CKEMON_PROCEED) }
    frame.pointee.number = DarwinErrno.darwin(verdict.error)
    return Int32(CKEMON_SKIP)
  }

  /// The kernel has found a page that is not what was signed, and has decided what becomes of it.
  func didFindInvalidPage(_ frame: UnsafeMutablePointer<HookFrame>) {
    guard process(frame.pointee.rdi) != nil,
      let node = UnsafePointer<kernel_vnode>(bitPattern: UInt(frame.pointee.rsi))
    else { return }
    let isKilled = UnsafePointer<Int32>(bitPattern: UInt(frame.pointee.r8))?.pointee ?? 0
    let action: UInt32 = isKilled != 0 ? 2 : frame.pointee.number != 0 ? 1 : 0
    records.invalidPage(
      of: Vnode.of(node), at: frame.pointee.rdx, action: action, in: processes.files)
  }
}

extension KernelRecords {
  /// A file is about to be mapped as code.
  ///
  /// A path that cannot be had is absent, and no reason to refuse.
  fileprivate func mapping(
    of vnode: Vnode, _ request: kernel_mmap_args, in files: FileSystem
  ) -> Verdict {
    dispatch(EventKind(KEMON_KIND_DYLIB_MAP)) { builder in
      builder.header.pointee.corr = Lane.current.nextOperation()
      builder.setPayload(
        kemon_dylib_map(
          dev: UInt64(vnode.node.pointee.v_fsid), ino: vnode.number, protection: request.prot,
          flags: request.flags, path: builder.path(of: vnode, in: files)))
    }
  }

  fileprivate func invalidPage(
    of vnode: Vnode, at offset: UInt64, action: UInt32, in files: FileSystem
  ) {
    dispatch(EventKind(KEMON_KIND_DYLIB_INVALID)) { builder in
      builder.setPayload(
        kemon_dylib_invalid(
          dev: UInt64(vnode.node.pointee.v_fsid), ino: vnode.number, offset: offset,
          action: action, reserved: 0, path: builder.path(of: vnode, in: files)))
    }
  }
}

extension RecordBuilder {
  /// Puts the path of a file into the record.
  fileprivate mutating func path(of vnode: Vnode, in files: FileSystem) -> kemon_str {
    withUnsafeTemporaryAllocation(byteCount: Int(KERNEL_MAXPATHLEN), alignment: 8) { room in
      let (error, count) = files.path(of: vnode, into: room)
      if error == KERNEL_ENOSPC { header.pointee.flags |= UInt16(KEMON_EV_TRUNCATED) }
      return error == 0 ? text(UnsafeRawBufferPointer(rebasing: room[..<count])) : kemon_str()
    }
  }
}
