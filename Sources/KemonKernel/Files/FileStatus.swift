// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// What `stat` tells of a file.
public struct FileStatus: Sendable, Equatable {
  /// What kind of thing it is.
  public enum FileType: String, Sendable, CaseIterable {
    /// A file with data.
    case regular = "file"
    /// A directory.
    case directory
    /// A device that is read in blocks.
    case blockDevice = "block-device"
    /// A device that is a stream.
    case characterDevice = "device"
    /// A symbolic link.
    case link
    /// A socket.
    case socket
    /// A pipe with a name.
    case pipe

    init?(vnodeType: Int32) {
      guard let known = Self.allCases.first(where: { $0.vnodeType == vnodeType }) else {
        return nil
      }
      self = known
    }

    var vnodeType: Int32 {
      switch self {
      case .regular: KERNEL_VREG
      case .directory: KERNEL_VDIR
      case .blockDevice: KERNEL_VBLK
      case .characterDevice: KERNEL_VCHR
      case .link: KERNEL_VLNK
      case .socket: KERNEL_VSOCK
      case .pipe: KERNEL_VFIFO
      }
    }
  }

  /// What kind of thing it is.
  public let type: FileType
  /// The device number of its file system.
  public let device: UInt64
  /// The inode number.
  public let number: UInt64
  /// Permission bits.
  public let mode: UInt16
  /// The owner.
  public let user: UInt32
  /// The group.
  public let group: UInt32
  /// How many names it has.
  public let links: Int
  /// Bytes of data, or names in a directory.
  public let size: Int
}
