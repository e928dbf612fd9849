// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A folder that only root and this process' user can change, held open.
///
/// Files are opened relative to the open folder, so that a folder that is renamed or replaced meanwhile changes
/// nothing. Symbolic links on the way to the folder are followed, because the operator named it; links inside are not.
struct PluginDirectory: ~Copyable {
  let path: String
  private let descriptor: Descriptor
  /// Whether owners and modes are looked at.
  private let checksOwners: Bool

  /// Opens a folder.
  ///
  /// - Parameters:
  ///   - checksOwners: refuse what somebody else can change: the folder, all on the way to it, files in it.
  ///   - isOnTheWay: others may write to it where they cannot take anything away.
  init(
    _ path: String, checksOwners: Bool = true, isOnTheWay: Bool = false
  ) throws(PluginProblem) {
    let descriptor =
      if checksOwners {
        try TrustedPath.open(folder: path)
      } else {
        try Self.open(folder: path)
      }
    // On the way others may write to a folder like /tmp; into this one they could put plugins.
    guard let status = descriptor.status(),
      !checksOwners || status.isTrusted(onTheWay: isOnTheWay)
    else {
      let status = descriptor.status()
      throw PluginProblem(
        .directoryTrust, file: path,
        found: status.map { "owner \($0.st_uid), \($0.modeText)" } ?? describe(errno: errno),
        needed: "\(Self.trustedOwners), not writable for group and others (chmod go-w)")
    }
    self.path = path
    self.checksOwners = checksOwners
    self.descriptor = descriptor
  }

  /// Opens a folder without asking who could have made it.
  private static func open(folder path: String) throws(PluginProblem) -> Descriptor {
    let number = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else {
      throw PluginProblem(
        .directoryOpen, file: path, found: describe(errno: errno), needed: "a folder of plugins")
    }
    return Descriptor(number)
  }

  /// Who may own folders and files, for messages.
  static var trustedOwners: String {
    geteuid() == 0 ? "owner 0" : "owner 0 or \(geteuid())"
  }

  /// The path of a file of the folder, for messages.
  func path(of name: String) -> String { path.hasSuffix("/") ? path + name : "\(path)/\(name)" }

  /// Whether there is something of that name.
  func has(_ name: String) -> Bool { faccessat(descriptor.number, name, F_OK, 0) == 0 }

  /// Names of all files that end in `.so`, in order of their bytes.
  func libraryNames() throws(PluginProblem) -> [String] {
    try names { $0.hasSuffix(".so") }
  }

  /// Names of the folders with a plugin that is a program, in order of their bytes.
  func programNames() throws(PluginProblem) -> [String] {
    try names { !$0.hasPrefix(".") && has("\($0)/\(PluginProgram.manifestName)") }
  }

  private func names(where isWanted: (String) -> Bool) throws(PluginProblem) -> [String] {
    // The stream owns a descriptor of its own; "." opens the same folder with a position of its own.
    let number = openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0, let stream = fdopendir(number) else {
      let error = errno
      if number >= 0 { close(number) }
      throw PluginProblem(
        .directoryOpen, file: path, found: describe(errno: error), needed: "a readable folder")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if isWanted(name) { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Opens a file of the folder that only root and this process' user can change.
  func open(file name: String) throws(PluginProblem) -> Descriptor {
    guard let file = try find(file: name) else {
      throw PluginProblem(
        .fileOpen, file: path(of: name), found: describe(errno: ENOENT), needed: "a readable file")
    }
    return file
  }

  /// Opens a file as ``open(file:)`` does; nil when it is not there.
  private func find(file name: String) throws(PluginProblem) -> Descriptor? {
    let path = path(of: name)
    let number = openat(descriptor.number, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard number >= 0 else {
      if errno == ENOENT { return nil }
      if errno == ELOOP {
        throw PluginProblem(
          .fileLink, file: path, found: "a symbolic link", needed: "the library itself")
      }
      throw PluginProblem(
        .fileOpen, file: path, found: describe(errno: errno), needed: "a readable file")
    }
    let file = Descriptor(number)
    guard let status = file.status() else {
      throw PluginProblem(
        .fileOpen, file: path, found: describe(errno: errno), needed: "a readable file")
    }
    guard status.isRegularFile else {
      throw PluginProblem(
        .fileKind, file: path, found: status.kindName, needed: "a regular file")
    }
    guard !checksOwners || status.hasTrustedOwner else {
      throw PluginProblem(
        .fileOwner, file: path, found: "owner \(status.st_uid)", needed: Self.trustedOwners)
    }
    guard !checksOwners || !status.isWritableByOthers else {
      throw PluginProblem(
        .fileWritable, file: path, found: status.modeText,
        needed: "not writable for group and others (chmod go-w)")
    }
    guard status.st_size > 0 else {
      throw PluginProblem(.fileEmpty, file: path, found: "0 bytes", needed: "a shared library")
    }
    guard status.st_size <= SealedImage.sizeLimit else {
      throw PluginProblem(
        .fileSize, file: path, found: "\(status.st_size) bytes",
        needed: "at most \(SealedImage.sizeLimit)")
    }
    return file
  }

  /// All bytes of a small file that only root and this process' user can change; nil when it is not there.
  func contents(of name: String, limit: Int) throws(PluginProblem) -> [UInt8]? {
    guard let file = try find(file: name) else { return nil }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 16 << 10)
    while bytes.count <= limit {
      let count = read(file.number, &block, block.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw PluginProblem(
          .fileOpen, file: path(of: name), found: describe(errno: errno),
          needed: "a readable file")
      }
      if count == 0 { return bytes }
      bytes += block[..<count]
    }
    throw PluginProblem(
      .fileSize, file: path(of: name), found: "more than \(limit) bytes", needed: "at most as many")
  }

  /// Writes a file of the folder anew: readers see the old one or the new one, whole.
  func replace(file name: String, with bytes: [UInt8]) throws(PluginProblem) {
    func failure() -> PluginProblem {
      PluginProblem(
        .lockWrite, file: path(of: name), found: describe(errno: errno), needed: "a writable folder"
      )
    }
    let partial = name + ".new"
    unlinkat(descriptor.number, partial, 0)
    let number = openat(
      descriptor.number, partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard number >= 0 else { throw failure() }
    let file = Descriptor(number)
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { write(file.number, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure() }
      written += count
    }
    // Whatever the umask is: others may read it, and nobody else write.
    guard fchmod(file.number, 0o644) == 0, fsync(file.number) == 0,
      renameat(descriptor.number, partial, descriptor.number, name) == 0
    else { throw failure() }
  }
}
