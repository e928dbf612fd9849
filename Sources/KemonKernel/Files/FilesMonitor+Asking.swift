// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonEvents
internal import KemonHooks

/// The inner hooks: names have become vnodes, nothing has been checked or changed yet.
extension FilesMonitor {
  func willOpenExisting(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    let lane = Lane.current
    guard let operation = lane.files.current(owner), let lookup = operation.pointee.lookup,
      let node = lookup.pointee.ni_vp, UInt(bitPattern: node) == UInt(frame.pointee.rdi)
    else { return Int32(CKEMON_PROCEED) }
    operation.pointee.take(node)
    operation.pointee.path.fill { room in
      let name = lookup.pointee.ni_cnd
      guard let directory = lookup.pointee.ni_dvp, name.cn_flags & UInt32(KERNEL_CN_DOT) == 0 else {
        return files.path(of: node, into: room)
      }
      return files.path(of: name.bytes, in: directory, into: room)
    }
    let answer = askToOpen(operation, frame)
    if answer == Int32(CKEMON_PROCEED), let grant = operation.pointee.grant {
      frame.pointee.rdx = UInt64(UInt32(bitPattern: grant.pointee))
    }
    return answer
  }

  func willCreate(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    let lane = Lane.current
    guard let operation = lane.files.current(owner), let lookup = operation.pointee.lookup,
      let directory = lookup.pointee.ni_dvp,
      UInt(bitPattern: directory) == UInt(frame.pointee.rdi)
    else { return Int32(CKEMON_PROCEED) }
    operation.pointee.device = UInt64(directory.pointee.v_fsid)
    operation.pointee.inode = 0
    operation.pointee.path.fill {
      files.path(of: lookup.pointee.ni_cnd.bytes, in: directory, into: $0)
    }
    return askToOpen(operation, frame)
  }

  private func askToOpen(
    _ operation: FileOperation.Handle, _ frame: UnsafeMutablePointer<HookFrame>
  ) -> Int32 {
    guard let grant = operation.pointee.grant else { return Int32(CKEMON_PROCEED) }
    // The caller's own numbers: there the access mode is one less.
    operation.pointee.flags = grant.pointee - 1
    let kind = FileKind.opened(operation.pointee.path.bytes, mode: grant.pointee)
    return ask(operation, kind, frame) { verdict in
      // Only rights can be taken away: without O_APPEND more could be done.
      var refused = ~Int32(truncatingIfNeeded: verdict.allowMask)
      if let change = operation.pointee.change {
        refused |= ~(change.flags &+ 1)
        // Only bits of the permissions: a type or a set-user-id bit is nothing that a handler gives.
        if let attributes = operation.pointee.attributes {
          let kept = attributes.pointee.va_mode & ~0o777
          attributes.pointee.va_mode = kept | UInt16(truncatingIfNeeded: change.mode & 0o777)
        }
      }
      refused &= KERNEL_FREAD | KERNEL_FWRITE | KERNEL_O_TRUNC
      if refused & KERNEL_FWRITE != 0 { refused |= KERNEL_O_TRUNC }
      let left = grant.pointee & ~refused
      guard left & (KERNEL_FREAD | KERNEL_FWRITE) != 0 else { return KERNEL_EPERM }
      grant.pointee = left
      return 0
    }
  }

  func willRename(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    guard let operation = Lane.current.files.current(owner),
      let fromDirectory = UnsafePointer<kernel_vnode>(bitPattern: UInt(frame.pointee.rdi)),
      let node = UnsafePointer<kernel_vnode>(bitPattern: UInt(frame.pointee.rsi)),
      let fromName = UnsafePointer<kernel_componentname>(bitPattern: UInt(frame.pointee.rdx)),
      let toDirectory = UnsafePointer<kernel_vnode>(bitPattern: UInt(frame.pointee.rcx)),
      let toName = UnsafePointer<kernel_componentname>(bitPattern: UInt(frame.pointee.r9))
    else { return Int32(CKEMON_PROCEED) }
    operation.pointee.take(node)
    operation.pointee.path.fill {
      files.path(of: fromName.pointee.bytes, in: fromDirectory, into: $0)
    }
    operation.pointee.other.fill {
      files.path(of: toName.pointee.bytes, in: toDirectory, into: $0)
    }
    return ask(operation, .rename, frame)
  }

  func willRemove(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    guard let operation = Lane.current.files.current(owner),
      let directory = UnsafePointer<kernel_vnode>(bitPattern: UInt(frame.pointee.rdi)),
      let node = UnsafePointer<kernel_vnode>(bitPattern: UInt(frame.pointee.rsi)),
      let name = UnsafePointer<kernel_componentname>(bitPattern: UInt(frame.pointee.rdx))
    else { return Int32(CKEMON_PROCEED) }
    operation.pointee.take(node)
    operation.pointee.flags = 0
    operation.pointee.mode = 0
    operation.pointee.path.fill { files.path(of: name.pointee.bytes, in: directory, into: $0) }
    return ask(operation, .delete, frame)
  }

  func willLink(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    guard let operation = Lane.current.files.current(owner),
      let directory = UnsafePointer<kernel_vnode>(bitPattern: UInt(frame.pointee.rsi)),
      let node = UnsafePointer<kernel_vnode>(bitPattern: UInt(frame.pointee.rdx)),
      let name = UnsafePointer<kernel_componentname>(bitPattern: UInt(frame.pointee.rcx))
    else { return Int32(CKEMON_PROCEED) }
    operation.pointee.take(node)
    operation.pointee.path.fill { files.path(of: node, into: $0) }
    operation.pointee.other.fill { files.path(of: name.pointee.bytes, in: directory, into: $0) }
    return ask(operation, .link, frame)
  }

  func willExchange(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    guard let operation = Lane.current.files.current(owner),
      let first = UnsafePointer<kernel_vnode>(bitPattern: UInt(frame.pointee.rsi)),
      let second = UnsafePointer<kernel_vnode>(bitPattern: UInt(frame.pointee.rdx))
    else { return Int32(CKEMON_PROCEED) }
    operation.pointee.take(first)
    operation.pointee.path.fill { files.path(of: first, into: $0) }
    operation.pointee.other.fill { files.path(of: second, into: $0) }
    return ask(operation, .exchange, frame)
  }

  /// A name is looked up in a directory: an operation of its own, whatever the directory's rights cache knows.
  func willLookUp(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    guard isMine(UnsafePointer(bitPattern: UInt(frame.pointee.rdi))) else {
      return Int32(CKEMON_PROCEED)
    }
    let operation = Lane.current.files.begin(owner)
    guard let directory = UnsafePointer<kernel_vnode>(bitPattern: UInt(frame.pointee.rsi)),
      let name = UnsafePointer<kernel_componentname>(bitPattern: UInt(frame.pointee.rdx))
    else { return Int32(CKEMON_PROCEED) }
    operation.pointee.take(directory)
    operation.pointee.flags = 0
    operation.pointee.mode = 0
    operation.pointee.path.fill { files.path(of: name.pointee.bytes, in: directory, into: $0) }
    return ask(operation, .lookup, frame)
  }

  /// Asks the plugins; the operation fails where it is when one denies it.
  private func ask(
    _ operation: FileOperation.Handle, _ kind: FileKind, _ frame: UnsafeMutablePointer<HookFrame>,
    narrow: (Verdict) -> Int32 = { _ in 0 }
  ) -> Int32 {
    // The name was taken between look-up and creation, and now the other file is opened: two operations.
    if operation.pointee.number != 0 { records.fileDone(operation, error: KERNEL_EEXIST) }
    operation.pointee.kind = kind
    operation.pointee.number = Lane.current.nextOperation()
    operation.pointee.change = nil
    let verdict = records.fileStarting(operation)
    let error = verdict.isDenied ? DarwinErrno.darwin(verdict.error) : narrow(verdict)
    guard error != 0 else { return Int32(CKEMON_PROCEED) }
    frame.pointee.number = error
    return Int32(CKEMON_SKIP)
  }
}
