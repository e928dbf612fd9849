// SPDX-License-Identifier: Apache-2.0

internal import KemonBus
internal import KemonEvents

extension KernelRecords {
  /// An operation on files is about to happen.
  func fileStarting(_ operation: FileOperation.Handle) -> Verdict {
    file(operation, operation.pointee.kind.pre, result: 0)
  }

  /// An operation on files has happened, or was refused.
  ///
  /// - Parameter error: Darwin's number.
  @discardableResult
  func fileDone(_ operation: FileOperation.Handle, error: Int32) -> Verdict {
    file(operation, operation.pointee.kind.post, result: DarwinErrno.linux(error))
  }

  private func file(
    _ operation: FileOperation.Handle, _ kind: EventKind, result: Int32
  ) -> Verdict {
    let changed = { (record: RecordView) in
      guard let file = record.payload(as: kemon_file.self) else { return }
      operation.pointee.change = (file.flags, file.mode)
    }
    return dispatch(kind, changed: changed) { builder in
      builder.header.pointee.corr = operation.pointee.number
      builder.header.pointee.result = result
      let path = builder.path(operation.pointee.path)
      switch operation.pointee.kind {
      case .close:
        builder.setPayload(
          kemon_file_close(
            dev: operation.pointee.device, ino: operation.pointee.inode,
            modified: UInt32(operation.pointee.flags),
            reserved: 0, path: path))
      case .rename, .exchange, .link, .willRename:
        builder.setPayload(
          kemon_file_pair(
            dev: operation.pointee.device, ino: operation.pointee.inode, path: path,
            to: builder.path(operation.pointee.other)))
      default:
        builder.setPayload(
          kemon_file(
            dev: operation.pointee.device, ino: operation.pointee.inode,
            flags: operation.pointee.flags,
            mode: operation.pointee.mode, path: path))
      }
    }
  }
}

extension RecordBuilder {
  /// Puts a path into the record; absent when the file has none, and flagged when it did not fit.
  mutating func path(_ path: PathRoom) -> kemon_str {
    if path.isTooLong { header.pointee.flags |= UInt16(KEMON_EV_TRUNCATED) }
    return path.count == nil ? kemon_str() : text(path.bytes)
  }
}
