// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// An error of the model's kernel: the number that Darwin gives it.
public struct DarwinErrno: Error, Sendable, Hashable, RawRepresentable, CustomStringConvertible {
  /// Darwin's number; 0 is no error.
  public let rawValue: Int32

  /// Takes Darwin's number.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The name, as in `EPERM`, or the number when it has none.
  public var description: String {
    ErrnoName.all.first { $0.darwin == rawValue }?.name ?? String(rawValue)
  }

  /// The operation is not permitted.
  public static let EPERM = DarwinErrno(rawValue: 1)
  /// There is no such file.
  public static let ENOENT = DarwinErrno(rawValue: 2)
  /// There is no such process.
  public static let ESRCH = DarwinErrno(rawValue: 3)
  /// The arguments of an exec are too long.
  public static let E2BIG = DarwinErrno(rawValue: 7)
  /// The file is nothing that can be executed.
  public static let ENOEXEC = DarwinErrno(rawValue: 8)
  /// The descriptor is not open for that.
  public static let EBADF = DarwinErrno(rawValue: 9)
  /// The process has no such child.
  public static let ECHILD = DarwinErrno(rawValue: 10)
  /// A thread would wait for itself.
  public static let EDEADLK = DarwinErrno(rawValue: 11)
  /// There is no room.
  public static let ENOMEM = DarwinErrno(rawValue: 12)
  /// The credential lacks a right.
  public static let EACCES = DarwinErrno(rawValue: 13)
  /// The memory can not be used.
  public static let EFAULT = DarwinErrno(rawValue: 14)
  /// The root, or a directory that is in use.
  public static let EBUSY = DarwinErrno(rawValue: 16)
  /// The name is taken.
  public static let EEXIST = DarwinErrno(rawValue: 17)
  /// The file is none that can be mapped.
  public static let ENODEV = DarwinErrno(rawValue: 19)
  /// Something that is no directory stands where one is needed.
  public static let ENOTDIR = DarwinErrno(rawValue: 20)
  /// A directory stands where a file is needed.
  public static let EISDIR = DarwinErrno(rawValue: 21)
  /// The arguments make no sense.
  public static let EINVAL = DarwinErrno(rawValue: 22)
  /// The process has too many files open.
  public static let EMFILE = DarwinErrno(rawValue: 24)
  /// There are too many processes.
  public static let EAGAIN = DarwinErrno(rawValue: 35)
  /// Symbolic links lead to each other.
  public static let ELOOP = DarwinErrno(rawValue: 62)
  /// A name has more than 255 bytes, or a path more than 1023.
  public static let ENAMETOOLONG = DarwinErrno(rawValue: 63)
  /// The directory is not empty.
  public static let ENOTEMPTY = DarwinErrno(rawValue: 66)
  /// The image is bad, or must not be used.
  public static let EBADEXEC = DarwinErrno(rawValue: 85)
  /// The image is for another processor.
  public static let EBADARCH = DarwinErrno(rawValue: 86)

  /// The number that records carry; Linux's EIO where Linux has no such error.
  static func linux(_ darwin: Int32) -> Int32 {
    guard darwin != 0 else { return 0 }
    guard linuxNumbers.indices.contains(Int(darwin)) else { return inputOutputError }
    return linuxNumbers[Int(darwin)]
  }

  /// The number that callers in the model get for what a plugin said; EPERM where Darwin has no such error.
  static func darwin(_ linux: Int32) -> Int32 {
    guard linux != 0 else { return 0 }
    return ErrnoName.linux(linux)?.darwin ?? EPERM.rawValue
  }

  private static let inputOutputError: Int32 = 5

  private static let linuxNumbers: [Int32] = {
    let known = ErrnoName.all.filter { ($0.darwin ?? 0) > 0 }
    let highest = known.compactMap(\.darwin).max() ?? 0
    var numbers = [Int32](repeating: inputOutputError, count: Int(highest) + 1)
    for error in known.reversed() {
      if let darwin = error.darwin, let linux = error.linux { numbers[Int(darwin)] = linux }
    }
    return numbers
  }()

  /// Throws unless the number is 0.
  @inline(__always)
  static func check(_ number: Int32) throws(DarwinErrno) {
    if number != 0 { throw DarwinErrno(rawValue: number) }
  }
}
