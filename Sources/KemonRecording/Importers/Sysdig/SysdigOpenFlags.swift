// SPDX-License-Identifier: Apache-2.0

/// Flags of open: sysdig shows numbers of its own and names; records carry those of Linux on x86-64.
struct SysdigOpenFlags {
  /// As Linux numbers them.
  let rawValue: Int32

  init(names: some Sequence<Substring>) {
    rawValue = names.reduce(0) { $0 | (Self.numbers[$1] ?? 0) }
  }

  /// What `creat` stands for.
  static let creat = SysdigOpenFlags(names: ["O_CREAT", "O_WRONLY", "O_TRUNC"])

  var creates: Bool { rawValue & 0x40 != 0 }
  /// Whether the file is opened to be changed.
  var writes: Bool { rawValue & 0x3 != 0 || rawValue & 0x400 != 0 }

  private static let numbers: [Substring: Int32] = [
    "O_RDONLY": 0, "O_WRONLY": 0x1, "O_RDWR": 0x2, "O_CREAT": 0x40, "O_EXCL": 0x80,
    "O_NOCTTY": 0x100, "O_TRUNC": 0x200, "O_APPEND": 0x400, "O_NONBLOCK": 0x800,
    "O_DSYNC": 0x1000, "O_DIRECT": 0x4000, "O_LARGEFILE": 0x8000, "O_DIRECTORY": 0x10000,
    "O_NOFOLLOW": 0x20000, "O_NOATIME": 0x40000, "O_CLOEXEC": 0x80000, "O_SYNC": 0x101000,
    "O_PATH": 0x200000, "O_TMPFILE": 0x410000,
  ]
}
