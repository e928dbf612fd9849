// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// How a file is opened: the kernel's own flags, FREAD and FWRITE for the access mode and the rest as in fcntl.h.
public struct OpenFlags: OptionSet, Sendable, Hashable {
  /// The bits that `vn_open_auth` gets.
  public let rawValue: Int32

  /// Takes the kernel's bits.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// For reading.
  public static let read = OpenFlags(rawValue: KERNEL_FREAD)
  /// For writing.
  public static let write = OpenFlags(rawValue: KERNEL_FWRITE)
  /// Every write goes to the end.
  public static let append = OpenFlags(rawValue: KERNEL_O_APPEND)
  /// The file is made when it is not there.
  public static let create = OpenFlags(rawValue: KERNEL_O_CREAT)
  /// The file must not be there yet.
  public static let exclusive = OpenFlags(rawValue: KERNEL_O_EXCL)
  /// The file loses its data.
  public static let truncate = OpenFlags(rawValue: KERNEL_O_TRUNC)
  /// A symbolic link at the end of the path is refused.
  public static let noFollow = OpenFlags(rawValue: KERNEL_O_NOFOLLOW)
  /// Only a directory will do.
  public static let directory = OpenFlags(rawValue: KERNEL_O_DIRECTORY)
  /// The descriptor ends when its process executes another image.
  public static let closeOnExec = OpenFlags(rawValue: KERNEL_O_CLOEXEC)

  /// The names that sessions use.
  static let names: [String: OpenFlags] = [
    "read": .read, "write": .write, "append": .append, "create": .create, "exclusive": .exclusive,
    "truncate": .truncate, "nofollow": .noFollow, "directory": .directory,
    "cloexec": .closeOnExec,
  ]
}

/// What renamex_np may be told.
public struct RenameFlags: OptionSet, Sendable, Hashable {
  /// The bits of the system call.
  public let rawValue: UInt32

  /// Takes the bits of the system call.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Both names change places.
  public static let swap = RenameFlags(rawValue: UInt32(KERNEL_RENAME_SWAP))
  /// The new name must not be there yet.
  public static let exclusive = RenameFlags(rawValue: UInt32(KERNEL_RENAME_EXCL))
}
