// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import Glibc
internal import KemonBus
internal import KemonEvents

/// Makes the records of the model and hands them to the dispatcher, on the thread where things happen.
struct KernelRecords: Sendable {
  let dispatcher: Dispatcher

  /// A line of the kernel's log, or of a process that logs there.
  func log(_ text: String, from source: String = "kernel") {
    dispatch(EventKind(KEMON_KIND_KERNEL_LOG)) { builder in
      let error: UInt32 = 3
      builder.setPayload(
        kemon_kernel_log(
          level: error, reserved: 0, source: builder.text(source), text: builder.text(text)))
    }
  }

  /// A hook that was put in while something was being done.
  func hookAttached(at address: UInt, in function: String, for subject: String, listing: String) {
    dispatch(EventKind(KEMON_KIND_HOOK_ATTACH)) { builder in
      builder.setPayload(
        kemon_hook_attach(
          address: UInt64(address), function: builder.text(function),
          subject: builder.text(subject), listing: builder.text(listing)))
    }
  }

  /// A kext is about to be started.
  ///
  /// - Parameter path: absent when it is not known.
  func kextStarting(
    _ info: UnsafePointer<kernel_kmod_info>, path: UnsafePointer<CChar>?, operation: UInt64
  ) -> Verdict {
    dispatch(EventKind(KEMON_KIND_KEXT_START_PRE)) { builder in
      builder.header.pointee.corr = operation
      let bytes = path.map { UnsafeRawBufferPointer(start: $0, count: strlen($0)) }
      builder.setPayload(
        kemon_kext(
          base: info.pointee.address, module_size: info.pointee.size, status: 0, reserved: 0,
          name: Self.name(info, &builder), version: Self.version(info, &builder),
          path: bytes.map { builder.text($0) } ?? kemon_str()))
    }
  }

  /// A kext's start routine has returned, or was not run.
  ///
  /// - Parameter error: the errno of the operation.
  func kextStarted(
    _ info: UnsafePointer<kernel_kmod_info>, status: Int32, error: Int32, operation: UInt64
  ) -> Verdict {
    dispatch(EventKind(KEMON_KIND_KEXT_START)) { builder in
      builder.header.pointee.corr = operation
      builder.header.pointee.result = error
      builder.setPayload(
        kemon_kext(
          base: info.pointee.address, module_size: info.pointee.size, status: status, reserved: 0,
          name: Self.name(info, &builder), version: Self.version(info, &builder),
          path: kemon_str()))
    }
  }

  /// Makes a record on the calling thread, about the process that is in the kernel there, and dispatches it.
  ///
  /// - Parameter changed: gets the record when handlers have changed what is to happen.
  ///
  /// Each family adds what it has to report as an extension in its own folder.
  @discardableResult
  func dispatch(
    _ kind: EventKind, changed: ((RecordView) -> Void)? = nil, _ fill: (inout RecordBuilder) -> Void
  ) -> Verdict {
    let lane = Lane.current
    return lane.withBuilder { builder in
      builder.begin(kind)
      if let process = lane.process { builder.setSubject(process) }
      fill(&builder)
      let verdict = dispatcher.dispatch(&builder)
      if verdict.isPatched { changed?(builder.view) }
      return verdict
    }
  }

  /// The identifier in a kmod_info.
  static func name(of info: UnsafePointer<kernel_kmod_info>) -> String {
    text(info, at: \.name).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private static func name(
    _ info: UnsafePointer<kernel_kmod_info>, _ builder: inout RecordBuilder
  ) -> kemon_str {
    field(info, at: \.name, &builder)
  }

  private static func version(
    _ info: UnsafePointer<kernel_kmod_info>, _ builder: inout RecordBuilder
  ) -> kemon_str {
    field(info, at: \.version, &builder)
  }

  private static func field<Field>(
    _ info: UnsafePointer<kernel_kmod_info>, at path: KeyPath<kernel_kmod_info, Field>,
    _ builder: inout RecordBuilder
  ) -> kemon_str {
    text(info, at: path).map { builder.text($0) } ?? kemon_str()
  }

  /// A text field of kmod_info: whoever made the kext may have left out its NUL.
  private static func text<Field>(
    _ info: UnsafePointer<kernel_kmod_info>, at path: KeyPath<kernel_kmod_info, Field>
  ) -> UnsafeRawBufferPointer? {
    guard let offset = MemoryLayout<kernel_kmod_info>.offset(of: path) else { return nil }
    let text = UnsafeRawPointer(info) + offset
    let length = strnlen(text.assumingMemoryBound(to: CChar.self), MemoryLayout<Field>.size)
    return UnsafeRawBufferPointer(start: text, count: length)
  }
}

extension RecordBuilder {
  /// Says who acts.
  mutating func setSubject(_ process: Session.Process) {
    header.pointee.subject = kemon_subject(
      start_ns: 0, pid: process.pid, tid: process.pid, ppid: process.ppid, uid: process.uid,
      gid: process.gid, flags: 0, exe: text(process.exe), comm: text(process.comm),
      parent: text(process.parent))
  }
}
