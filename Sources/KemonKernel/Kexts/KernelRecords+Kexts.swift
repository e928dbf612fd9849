// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import Glibc
internal import KemonBus
internal import KemonEvents

extension KernelRecords {
  /// A kext is about to be started.
  ///
  /// - Parameter path: absent when it is not known.
  func kextStarting(
    _ info: UnsafePointer<kernel_kmod_info>, path: UnsafePointer<CChar>?, operation: UInt64
  ) -> Verdict {
    kext(KEMON_KIND_KEXT_START_PRE, info, path: path, operation: operation)
  }

  /// A kext's start routine has returned, or was not run.
  ///
  /// - Parameters:
  ///   - status: what the kernel sees.
  ///   - denial: the errno of whoever kept it from running; 0 when it ran.
  func kextStarted(
    _ info: UnsafePointer<kernel_kmod_info>, status: Int32, denial: Int32, operation: UInt64
  ) -> Verdict {
    kext(
      KEMON_KIND_KEXT_START, info, status: status, error: Self.error(status, denial),
      operation: operation)
  }

  /// A kext is about to be stopped.
  ///
  /// - Parameter path: absent when it is not known.
  func kextStopping(
    _ info: UnsafePointer<kernel_kmod_info>, path: UnsafePointer<CChar>?, operation: UInt64
  ) -> Verdict {
    kext(KEMON_KIND_KEXT_STOP_PRE, info, path: path, operation: operation)
  }

  /// A kext's stop routine has returned, or was not run.
  ///
  /// - Parameters:
  ///   - status: what the kernel sees.
  ///   - denial: the errno of whoever kept it from running; 0 when it ran.
  func kextStopped(
    _ info: UnsafePointer<kernel_kmod_info>, status: Int32, denial: Int32, operation: UInt64
  ) -> Verdict {
    kext(
      KEMON_KIND_KEXT_STOP, info, status: status, error: Self.error(status, denial),
      operation: operation)
  }

  /// The errno of a routine that was denied, or returned a number that is none: whatever it is, it failed.
  private static func error(_ status: Int32, _ denial: Int32) -> Int32 {
    let inputOutputError: Int32 = 5
    return denial != 0 ? denial : status == 0 ? 0 : inputOutputError
  }

  private func kext(
    _ kind: Int, _ info: UnsafePointer<kernel_kmod_info>, path: UnsafePointer<CChar>? = nil,
    status: Int32 = 0, error: Int32 = 0, operation: UInt64
  ) -> Verdict {
    dispatch(EventKind(kind)) { builder in
      builder.header.pointee.corr = operation
      builder.header.pointee.result = error
      let bytes = path.map { UnsafeRawBufferPointer(start: $0, count: strlen($0)) }
      builder.setPayload(
        kemon_kext(
          base: info.pointee.address, module_size: info.pointee.size, status: status, reserved: 0,
          name: Self.field(info, at: \.name, &builder),
          version: Self.field(info, at: \.version, &builder),
          path: bytes.map { builder.text($0) } ?? kemon_str()))
    }
  }

  /// The identifier in a kmod_info.
  static func name(of info: UnsafePointer<kernel_kmod_info>) -> String {
    text(info, at: \.name).map { String(decoding: $0, as: UTF8.self) } ?? ""
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
