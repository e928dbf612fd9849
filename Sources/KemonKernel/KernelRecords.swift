// SPDX-License-Identifier: Apache-2.0

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
    Lane.current.noteAttachment()
    dispatch(EventKind(KEMON_KIND_HOOK_ATTACH)) { builder in
      builder.setPayload(
        kemon_hook_attach(
          address: UInt64(address), function: builder.text(function),
          subject: builder.text(subject), listing: builder.text(listing)))
    }
  }

  /// Makes a record on the calling thread, about the process that is in the kernel there, and dispatches it.
  ///
  /// - Parameter changed: gets the record when handlers have changed what is to happen.
  ///
  /// Each family adds what it has to report as an extension in its own folder.
  @discardableResult @inline(__always)
  func dispatch(
    _ kind: EventKind, changed: (RecordView) -> Void = { _ in },
    _ fill: (inout RecordBuilder) -> Void
  ) -> Verdict {
    let lane = Lane.current
    return lane.withBuilder { builder in
      builder.begin(kind)
      lane.setSubject(of: &builder)
      fill(&builder)
      let verdict = dispatcher.dispatch(&builder)
      if verdict.isPatched { changed(builder.view) }
      return verdict
    }
  }
}
