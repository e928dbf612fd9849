// SPDX-License-Identifier: Apache-2.0

/// What a completed system call is for Kemon, read from both its sides.
enum SysdigOperation {
  case open(path: String, flags: SysdigOpenFlags, mode: UInt32)
  case close(path: String)
  case delete(path: String)
  case rename(path: String, to: String)
  case link(path: String, to: String)
  case execute(path: String, directory: String?, arguments: [String])
  case map(path: String, protection: Int32, flags: Int32)
  case connect(SysdigConnection, family: UInt16, transport: UInt16)

  /// Why a call goes into no event.
  struct Skip: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
  }

  /// The calls that are looked at.
  static let types: Set<String> = [
    "open", "openat", "openat2", "creat", "close", "unlink", "unlinkat", "rmdir", "rename",
    "renameat", "renameat2", "link", "linkat", "execve", "execveat", "mmap", "mmap2", "connect",
  ]

  /// Reads an operation.
  ///
  /// - Parameters:
  ///   - exit: where the call ended.
  ///   - enter: where it began, when the trace has that.
  init(_ exit: SysdigLine, _ enter: SysdigLine?) throws(Skip) {
    let arguments = exit.arguments
    switch exit.type {
    case "open", "openat", "openat2", "creat": self = try Self.open(exit, arguments)
    case "close":
      guard exit.descriptorType == "f", let path = exit.descriptorName, !path.isEmpty else {
        throw Skip("close of what is no file")
      }
      self = .close(path: path)
    case "unlink", "unlinkat", "rmdir":
      self = .delete(
        path: try Self.known(
          arguments.path("path") ?? arguments.path("name", before: ["flags="]), exit))
    case "rename", "renameat", "renameat2", "link", "linkat":
      // Both at the first place: what a strange name holds is in one of them, never in neither.
      let path = try Self.known(
        arguments.path("oldpath", before: ["newdirfd=", "newdir=", "newpath="], at: .first), exit)
      let hasFlags = exit.type == "renameat2" || exit.type == "linkat"
      let to = try Self.known(
        arguments.path("newpath", before: hasFlags ? ["flags="] : []), exit)
      self = exit.type.hasPrefix("link") ? .link(path: path, to: to) : .rename(path: path, to: to)
    case "execve", "execveat": self = try Self.execute(exit, enter, arguments)
    case "mmap", "mmap2": self = try Self.map(enter?.arguments ?? arguments)
    case "connect": self = try Self.connect(exit, enter, arguments)
    default: throw Skip("no event kind for \(exit.type)")
    }
  }

  private static func known(_ path: String?, _ line: SysdigLine) throws(Skip) -> String {
    guard let path else { throw Skip("\(line.type) without a path") }
    return path
  }

  private static func open(
    _ exit: SysdigLine, _ arguments: SysdigArguments
  ) throws(Skip) -> SysdigOperation {
    // Of an open that succeeded the descriptor's name is the better one: whole, and nothing else in it.
    var path = arguments.path("name", before: ["flags=", "mode="])
    if exit.result ?? -1 >= 0, let name = exit.descriptorName, !name.isEmpty { path = name }
    let flags =
      exit.type == "creat"
      ? .creat : SysdigOpenFlags(names: arguments.flagNames("flags", at: .last))
    return .open(
      path: try known(path, exit), flags: flags,
      mode: arguments.word("mode", at: .last).flatMap { UInt32($0, radix: 8) } ?? 0)
  }

  private static func execute(
    _ exit: SysdigLine, _ enter: SysdigLine?, _ arguments: SysdigArguments
  ) throws(Skip) -> SysdigOperation {
    let first = arguments.text("exe", before: ["args="], at: .first)
    let asked = enter?.arguments.path("filename")
    let became = exit.processPath.flatMap { $0.isEmpty ? nil : $0 }
    let path = try known(asked ?? became ?? first.map(String.init), exit)
    // The arguments are separated by NULs, which sysdig shows as dots, like the dots that were in them: arguments
    // with dots come apart here, and nobody can put them together again.
    let thread = "tid=\(exit.thread)("
    let others = arguments.text("args", before: [thread], at: .first)?.split(separator: ".") ?? []
    let directory = arguments.behind(" \(thread)")?.text("cwd", before: ["fdlimit="], at: .first)
    return .execute(
      path: path, directory: directory.flatMap { $0.isEmpty ? nil : String($0) },
      arguments: [first.map(String.init) ?? path] + others.map(String.init))
  }

  private static func map(_ arguments: SysdigArguments) throws(Skip) -> SysdigOperation {
    // Where the call begins; later versions of sysdig show it where the call ends.
    guard arguments.word("prot", at: .first) != nil else {
      throw Skip("mmap without its beginning")
    }
    let protection = arguments.flagNames("prot", at: .first)
    guard protection.contains("PROT_EXEC") else { throw Skip("mmap without PROT_EXEC") }
    // As in `fd=3(<f>/lib/libc.so.6)`.
    guard let file = arguments.text("fd", before: ["offset="])?.utf8,
      let start = file.firstRange(of: "(<f>".utf8)?.upperBound, file.last == UInt8(ascii: ")")
    else { throw Skip("mmap of what is no file") }
    let path = Substring(file[start...].dropLast())
    guard !path.isEmpty else { throw Skip("mmap without a path") }
    return .map(
      path: String(path),
      protection: protection.reduce(0) { $0 | (Self.protections[$1] ?? 0) },
      flags: arguments.flagNames("flags", at: .first).reduce(0) { $0 | (Self.mappings[$1] ?? 0) })
  }

  private static func connect(
    _ exit: SysdigLine, _ enter: SysdigLine?, _ arguments: SysdigArguments
  ) throws(Skip) -> SysdigOperation {
    let family: UInt16 =
      switch exit.descriptorType {
      case "4": 4
      case "6": 6
      default: throw Skip("connect of what is no IP socket")
      }
    guard let tuple = arguments.text("tuple"), let connection = SysdigConnection(tuple) else {
      throw Skip("connect without an address")
    }
    return .connect(
      connection, family: family,
      transport: SysdigConnection.transport(enter?.arguments.text("fd")))
  }

  private static let protections: [Substring: Int32] = [
    "PROT_READ": 1, "PROT_WRITE": 2, "PROT_EXEC": 4,
  ]

  // Linux on x86-64; sysdig's own numbers differ.
  private static let mappings: [Substring: Int32] = [
    "MAP_SHARED": 0x1, "MAP_PRIVATE": 0x2, "MAP_FIXED": 0x10, "MAP_ANONYMOUS": 0x20,
    "MAP_32BIT": 0x40, "MAP_GROWSDOWN": 0x100, "MAP_DENYWRITE": 0x800, "MAP_EXECUTABLE": 0x1000,
    "MAP_LOCKED": 0x2000, "MAP_NORESERVE": 0x4000, "MAP_POPULATE": 0x8000,
    "MAP_NONBLOCK": 0x10000, "MAP_STACK": 0x20000, "MAP_HUGETLB": 0x40000,
  ]
}
