// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonEvents

extension stat {
  var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
  var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }

  /// The kind of file, for messages.
  var kindName: String {
    switch st_mode & S_IFMT {
    case S_IFREG: "a regular file"
    case S_IFDIR: "a folder"
    case S_IFLNK: "a symbolic link"
    case S_IFIFO: "a pipe"
    case S_IFSOCK: "a socket"
    default: "a device"
    }
  }

  /// Whether it belongs to root or to this process' user.
  var hasTrustedOwner: Bool { st_uid == 0 || st_uid == geteuid() }

  /// Whether its group or everybody may write to it.
  var isWritableByOthers: Bool { st_mode & (S_IWGRP | S_IWOTH) != 0 }

  /// Whether nobody else can exchange what lies in a folder.
  ///
  /// - Parameter onTheWay: others may write to it where the sticky bit is, as to /tmp: there each may only take away what
  ///   is theirs.
  func isTrusted(onTheWay: Bool) -> Bool {
    hasTrustedOwner && (!isWritableByOthers || (onTheWay && st_mode & S_ISVTX != 0))
  }

  /// The permission bits as chmod takes them.
  var modeText: String { "mode 0" + String(st_mode & 0o7777, radix: 8) }
}

/// An errno in words: `EACCES (Permission denied)`.
func describe(errno number: Int32) -> String {
  "\(ErrnoName.describe(linux: number)) (\(String(cString: strerror(number))))"
}

/// Whether a path leads to something that is no folder.
func isFile(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && !status.isDirectory
}
