// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonEvents

/// What kinds of events an operation on a file has: Kemon's own classification.
struct FileKind: Sendable, Equatable {
  /// Told afterwards.
  let post: EventKind
  /// Asked before.
  var pre: EventKind { EventKind(rawValue: post.rawValue | 0x100) }

  init(_ post: Int) { self.post = EventKind(post) }

  static let open = FileKind(KEMON_KIND_FILE_OPEN)
  static let create = FileKind(KEMON_KIND_FILE_CREATE)
  static let write = FileKind(KEMON_KIND_FILE_WRITE)
  static let device = FileKind(KEMON_KIND_DEVICE_OPEN)
  static let close = FileKind(KEMON_KIND_FILE_CLOSE)
  static let rename = FileKind(KEMON_KIND_FILE_RENAME)
  static let exchange = FileKind(KEMON_KIND_FILE_EXCHANGE)
  static let link = FileKind(KEMON_KIND_FILE_LINK)
  static let delete = FileKind(KEMON_KIND_FILE_DELETE)
  /// Told before, by the kernel itself; it can not be denied.
  static let willRename = FileKind(KEMON_KIND_FILE_WILL_RENAME)
  static let lookup = FileKind(KEMON_KIND_FILE_LOOKUP)

  /// What an open is: of a device, or one that would create, write or append, or any other.
  ///
  /// - Parameter mode: the kernel's open flags; nil when they are not known.
  static func opened(_ path: UnsafeRawBufferPointer, mode: Int32?) -> FileKind {
    if path.starts(with: devices) { return .device }
    guard let mode else { return .open }
    if mode & KERNEL_O_CREAT != 0 { return .create }
    return mode & (KERNEL_FWRITE | KERNEL_O_APPEND) != 0 ? .write : .open
  }

  private static let devices = Array("/dev/".utf8)
}
