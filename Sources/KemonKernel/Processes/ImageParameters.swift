// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// What a process hands to exec, in memory that the kernel's functions can use.
///
/// Belongs to one call.
struct ImageParameters: ~Copyable {
  let pointer: UnsafeMutablePointer<kernel_image_params>
  private let text: UnsafeMutableBufferPointer<CChar>

  /// Copies path, arguments and environment.
  ///
  /// - Throws: EINVAL for a text with a NUL in it.
  init(
    _ path: String, _ arguments: [String], _ environment: [String], of process: ModelProcess
  ) throws(DarwinErrno) {
    let strings = [[path], arguments, environment]
    guard strings.allSatisfy({ $0.allSatisfy { !$0.utf8.contains(0) } }) else { throw .EINVAL }
    let sizes = strings.map { $0.reduce(0) { $0 + $1.utf8.count + 1 } }
    text = .allocate(capacity: sizes.reduce(0, +))
    var end = 0
    for string in strings.joined() {
      for byte in string.utf8 {
        text[end] = CChar(bitPattern: byte)
        end += 1
      }
      text[end] = 0
      end += 1
    }
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: kernel_image_params())
    let start = UnsafePointer(text.baseAddress)
    pointer.pointee.ip_vfs_context = UnsafePointer(process.context.pointer)
    pointer.pointee.ip_proc = process.pointer
    pointer.pointee.ip_user_fname = start
    pointer.pointee.ip_user_fnamelen = sizes[0] - 1
    pointer.pointee.ip_user_argv = kernel_strings(
      text: start.map { $0 + sizes[0] }, size: sizes[1], count: UInt32(arguments.count))
    pointer.pointee.ip_user_envv = kernel_strings(
      text: start.map { $0 + sizes[0] + sizes[1] }, size: sizes[2], count: UInt32(environment.count)
    )
  }

  /// Lets go of strings and vnodes.
  consuming func release() {
    exec_cleanup(pointer)
    pointer.deallocate()
    text.deallocate()
  }
}
