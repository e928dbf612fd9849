// SPDX-License-Identifier: Apache-2.0

/// An error number by its name, because Darwin's and Linux's numbers differ.
///
/// Records and the C ABI carry Linux numbers; output and recordings' columns carry names; the kernel model hands
/// Darwin's numbers to its callers.
public struct ErrnoName: Sendable, Hashable {
  /// The name, as in `EPERM`.
  public let name: String
  /// The number on Darwin, nil when it has none.
  public let darwin: Int32?
  /// The number on Linux, nil when it has none.
  public let linux: Int32?

  /// The error of a Linux number, the first name when several share it.
  public static func linux(_ number: Int32) -> ErrnoName? { byLinux[number] }

  /// The error of that name.
  public static func named(_ name: String) -> ErrnoName? { all.first { $0.name == name } }

  /// How a Linux number is written: its name, or the number itself when it has none.
  public static func describe(linux number: Int32) -> String {
    byLinux[number]?.name ?? String(number)
  }

  /// All errors, in the order of Darwin's numbers.
  ///
  /// Source: XNU `sys/errno.h`, Linux `asm-generic/errno.h`.
  public static let all: [ErrnoName] = [
    ErrnoName(name: "EPERM", darwin: 1, linux: 1),
    ErrnoName(name: "ENOENT", darwin: 2, linux: 2),
    ErrnoName(name: "ESRCH", darwin: 3, linux: 3),
    ErrnoName(name: "EINTR", darwin: 4, linux: 4),
    ErrnoName(name: "EIO", darwin: 5, linux: 5),
    ErrnoName(name: "ENXIO", darwin: 6, linux: 6),
    ErrnoName(name: "E2BIG", darwin: 7, linux: 7),
    ErrnoName(name: "ENOEXEC", darwin: 8, linux: 8),
    ErrnoName(name: "EBADF", darwin: 9, linux: 9),
    ErrnoName(name: "ECHILD", darwin: 10, linux: 10),
    ErrnoName(name: "EDEADLK", darwin: 11, linux: 35),
    ErrnoName(name: "ENOMEM", darwin: 12, linux: 12),
    ErrnoName(name: "EACCES", darwin: 13, linux: 13),
    ErrnoName(name: "EFAULT", darwin: 14, linux: 14),
    ErrnoName(name: "ENOTBLK", darwin: 15, linux: 15),
    ErrnoName(name: "EBUSY", darwin: 16, linux: 16),
    ErrnoName(name: "EEXIST", darwin: 17, linux: 17),
    ErrnoName(name: "EXDEV", darwin: 18, linux: 18),
    ErrnoName(name: "ENODEV", darwin: 19, linux: 19),
    ErrnoName(name: "ENOTDIR", darwin: 20, linux: 20),
    ErrnoName(name: "EISDIR", darwin: 21, linux: 21),
    ErrnoName(name: "EINVAL", darwin: 22, linux: 22),
    ErrnoName(name: "ENFILE", darwin: 23, linux: 23),
    ErrnoName(name: "EMFILE", darwin: 24, linux: 24),
    ErrnoName(name: "ENOTTY", darwin: 25, linux: 25),
    ErrnoName(name: "ETXTBSY", darwin: 26, linux: 26),
    ErrnoName(name: "EFBIG", darwin: 27, linux: 27),
    ErrnoName(name: "ENOSPC", darwin: 28, linux: 28),
    ErrnoName(name: "ESPIPE", darwin: 29, linux: 29),
    ErrnoName(name: "EROFS", darwin: 30, linux: 30),
    ErrnoName(name: "EMLINK", darwin: 31, linux: 31),
    ErrnoName(name: "EPIPE", darwin: 32, linux: 32),
    ErrnoName(name: "EDOM", darwin: 33, linux: 33),
    ErrnoName(name: "ERANGE", darwin: 34, linux: 34),
    ErrnoName(name: "EAGAIN", darwin: 35, linux: 11),
    ErrnoName(name: "EINPROGRESS", darwin: 36, linux: 115),
    ErrnoName(name: "EALREADY", darwin: 37, linux: 114),
    ErrnoName(name: "ENOTSOCK", darwin: 38, linux: 88),
    ErrnoName(name: "EDESTADDRREQ", darwin: 39, linux: 89),
    ErrnoName(name: "EMSGSIZE", darwin: 40, linux: 90),
    ErrnoName(name: "EPROTOTYPE", darwin: 41, linux: 91),
    ErrnoName(name: "ENOPROTOOPT", darwin: 42, linux: 92),
    ErrnoName(name: "EPROTONOSUPPORT", darwin: 43, linux: 93),
    ErrnoName(name: "ESOCKTNOSUPPORT", darwin: 44, linux: 94),
    ErrnoName(name: "ENOTSUP", darwin: 45, linux: 95),
    ErrnoName(name: "EPFNOSUPPORT", darwin: 46, linux: 96),
    ErrnoName(name: "EAFNOSUPPORT", darwin: 47, linux: 97),
    ErrnoName(name: "EADDRINUSE", darwin: 48, linux: 98),
    ErrnoName(name: "EADDRNOTAVAIL", darwin: 49, linux: 99),
    ErrnoName(name: "ENETDOWN", darwin: 50, linux: 100),
    ErrnoName(name: "ENETUNREACH", darwin: 51, linux: 101),
    ErrnoName(name: "ENETRESET", darwin: 52, linux: 102),
    ErrnoName(name: "ECONNABORTED", darwin: 53, linux: 103),
    ErrnoName(name: "ECONNRESET", darwin: 54, linux: 104),
    ErrnoName(name: "ENOBUFS", darwin: 55, linux: 105),
    ErrnoName(name: "EISCONN", darwin: 56, linux: 106),
    ErrnoName(name: "ENOTCONN", darwin: 57, linux: 107),
    ErrnoName(name: "ESHUTDOWN", darwin: 58, linux: 108),
    ErrnoName(name: "ETOOMANYREFS", darwin: 59, linux: 109),
    ErrnoName(name: "ETIMEDOUT", darwin: 60, linux: 110),
    ErrnoName(name: "ECONNREFUSED", darwin: 61, linux: 111),
    ErrnoName(name: "ELOOP", darwin: 62, linux: 40),
    ErrnoName(name: "ENAMETOOLONG", darwin: 63, linux: 36),
    ErrnoName(name: "EHOSTDOWN", darwin: 64, linux: 112),
    ErrnoName(name: "EHOSTUNREACH", darwin: 65, linux: 113),
    ErrnoName(name: "ENOTEMPTY", darwin: 66, linux: 39),
    ErrnoName(name: "EPROCLIM", darwin: 67, linux: nil),
    ErrnoName(name: "EUSERS", darwin: 68, linux: 87),
    ErrnoName(name: "EDQUOT", darwin: 69, linux: 122),
    ErrnoName(name: "ESTALE", darwin: 70, linux: 116),
    ErrnoName(name: "EREMOTE", darwin: 71, linux: 66),
    ErrnoName(name: "EBADRPC", darwin: 72, linux: nil),
    ErrnoName(name: "ERPCMISMATCH", darwin: 73, linux: nil),
    ErrnoName(name: "EPROGUNAVAIL", darwin: 74, linux: nil),
    ErrnoName(name: "EPROGMISMATCH", darwin: 75, linux: nil),
    ErrnoName(name: "EPROCUNAVAIL", darwin: 76, linux: nil),
    ErrnoName(name: "ENOLCK", darwin: 77, linux: 37),
    ErrnoName(name: "ENOSYS", darwin: 78, linux: 38),
    ErrnoName(name: "EFTYPE", darwin: 79, linux: nil),
    ErrnoName(name: "EAUTH", darwin: 80, linux: nil),
    ErrnoName(name: "ENEEDAUTH", darwin: 81, linux: nil),
    ErrnoName(name: "EPWROFF", darwin: 82, linux: nil),
    ErrnoName(name: "EDEVERR", darwin: 83, linux: nil),
    ErrnoName(name: "EOVERFLOW", darwin: 84, linux: 75),
    ErrnoName(name: "EBADEXEC", darwin: 85, linux: nil),
    ErrnoName(name: "EBADARCH", darwin: 86, linux: nil),
    ErrnoName(name: "ESHLIBVERS", darwin: 87, linux: nil),
    ErrnoName(name: "EBADMACHO", darwin: 88, linux: nil),
    ErrnoName(name: "ECANCELED", darwin: 89, linux: 125),
    ErrnoName(name: "EIDRM", darwin: 90, linux: 43),
    ErrnoName(name: "ENOMSG", darwin: 91, linux: 42),
    ErrnoName(name: "EILSEQ", darwin: 92, linux: 84),
    ErrnoName(name: "ENOATTR", darwin: 93, linux: nil),
    ErrnoName(name: "EBADMSG", darwin: 94, linux: 74),
    ErrnoName(name: "EMULTIHOP", darwin: 95, linux: 72),
    ErrnoName(name: "ENODATA", darwin: 96, linux: 61),
    ErrnoName(name: "ENOLINK", darwin: 97, linux: 67),
    ErrnoName(name: "ENOSR", darwin: 98, linux: 63),
    ErrnoName(name: "ENOSTR", darwin: 99, linux: 60),
    ErrnoName(name: "EPROTO", darwin: 100, linux: 71),
    ErrnoName(name: "ETIME", darwin: 101, linux: 62),
    ErrnoName(name: "EOPNOTSUPP", darwin: 102, linux: 95),
    ErrnoName(name: "ENOPOLICY", darwin: 103, linux: nil),
    ErrnoName(name: "ENOTRECOVERABLE", darwin: 104, linux: 131),
    ErrnoName(name: "EOWNERDEAD", darwin: 105, linux: 130),
    ErrnoName(name: "EQFULL", darwin: 106, linux: nil),
    ErrnoName(name: "ERESTART", darwin: -1, linux: 85),
    ErrnoName(name: "EJUSTRETURN", darwin: -2, linux: nil),
    ErrnoName(name: "ERECYCLE", darwin: -5, linux: nil),
    ErrnoName(name: "EREDRIVEOPEN", darwin: -6, linux: nil),
    ErrnoName(name: "EKEEPLOOKING", darwin: -7, linux: nil),
    ErrnoName(name: "ECVCERORR", darwin: 256, linux: nil),
    ErrnoName(name: "ECVPERORR", darwin: 512, linux: nil),
  ]

  private static let byLinux: [Int32: ErrnoName] = Dictionary(
    all.compactMap { error in error.linux.map { ($0, error) } },
    uniquingKeysWith: { first, _ in first })
}
