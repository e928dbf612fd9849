// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonHooks

/// A routine of a kext's own that the kernel calls, with its kmod_info as the first argument: what hooks there do.
///
/// The plugins are asked before and told after. A denied routine does not run; the kernel sees a replaced status.
struct KextRoutine: Sendable {
  private let records: KernelRecords
  private let layout: kernel_oskext_layout
  private let isStop: Bool

  /// The start routine.
  static func start(_ layout: kernel_oskext_layout, _ records: KernelRecords) -> KextRoutine {
    KextRoutine(records: records, layout: layout, isStop: false)
  }

  /// The stop routine.
  static func stop(_ layout: kernel_oskext_layout, _ records: KernelRecords) -> KextRoutine {
    KextRoutine(records: records, layout: layout, isStop: true)
  }

  // What pre keeps for post: the operation in scratch 0, the errno of a denial in scratch 1.

  /// The routine of a kext is about to be called.
  func willRun(
    of kext: UnsafePointer<kernel_oskext>?, _ frame: UnsafeMutablePointer<HookFrame>
  ) -> Int32 {
    guard let info = UnsafePointer<kernel_kmod_info>(bitPattern: UInt(frame.pointee.rdi)) else {
      return Int32(CKEMON_PROCEED)
    }
    let operation = Lane.current.nextOperation()
    frame.pointee.scratch.0 = operation
    let path = withUnsafePointer(to: layout) { layout in
      kext.flatMap { kernel_oskext_path($0, layout) }
    }
    let verdict =
      isStop
      ? records.kextStopping(info, path: path, operation: operation)
      : records.kextStarting(info, path: path, operation: operation)
    guard verdict.isDenied else { return Int32(CKEMON_PROCEED) }
    frame.pointee.scratch.1 = UInt64(UInt32(bitPattern: verdict.error))
    frame.pointee.number = KextReturn.kernFailure
    return Int32(CKEMON_SKIP)
  }

  /// It has returned, or was not run; nothing is told of one that ``willRun(of:_:)`` did not see.
  func didRun(_ frame: UnsafeMutablePointer<HookFrame>) {
    let (operation, denial) = (frame.pointee.scratch.0, frame.pointee.scratch.1)
    guard operation != 0,
      let info = UnsafePointer<kernel_kmod_info>(bitPattern: UInt(frame.pointee.rdi))
    else { return }
    let tell = isStop ? records.kextStopped : records.kextStarted
    let verdict = tell(
      info, frame.pointee.number, Int32(truncatingIfNeeded: denial), operation)
    if let replacement = verdict.replacement {
      frame.pointee.number = Int32(truncatingIfNeeded: replacement)
    }
  }
}
