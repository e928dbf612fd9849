// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Opens folders on ways that only root and this process' user can change.
///
/// The way is walked folder by folder from `/`. Each step opens one name without following links, relative to the folder
/// that was just checked, so that nothing on the way can be exchanged between the check and the use. Links are followed by
/// hand, and count like folders: who owns one decides where it leads.
enum TrustedPath {
  /// As many links as the kernel follows.
  private static let linkLimit = 40
  /// O_PATH, which Glibc's Swift module does not offer: a place in the file system, not the file's content.
  private static let place: Int32 = 0o10_000_000

  /// Opens a folder for reading.
  ///
  /// - Throws: which folder or link on the way, the folder itself left out, somebody else could change.
  static func open(folder path: String) throws(PluginProblem) -> Descriptor {
    var names = components(path)
    if !path.hasPrefix("/") { names = components(try currentFolder(path)) + names }
    var place = ""
    var current = try open("/", at: AT_FDCWD, path)
    try check(current, "/", path)
    var links = 0
    names.reverse()
    while let name = names.popLast() {
      let step = place + "/" + name
      let next = try open(name, at: current.number, path)
      guard let status = next.status() else { throw unreadable(path, errno) }
      if status.st_mode & S_IFMT == S_IFLNK {
        links += 1
        guard status.hasTrustedOwner else { throw refuse(path, step, status) }
        guard links <= linkLimit else { throw unreadable(path, ELOOP) }
        let target = try target(of: next, path)
        names += components(target).reversed()
        if target.hasPrefix("/") {
          current = try open("/", at: AT_FDCWD, path)
          place = ""
        }
        continue
      }
      guard status.isDirectory else { throw unreadable(path, ENOTDIR) }
      // The folder itself is its user's to judge.
      if !names.isEmpty { try check(next, step, path) }
      place = name == ".." ? String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)]) : step
      current = next
    }
    let number = openat(current.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { throw unreadable(path, errno) }
    return Descriptor(number)
  }

  private static func components(_ path: String) -> [String] {
    path.split(separator: "/").filter { $0 != "." }.map(String.init)
  }

  private static func currentFolder(_ path: String) throws(PluginProblem) -> String {
    guard let folder = getcwd(nil, 0) else { throw unreadable(path, errno) }
    defer { free(folder) }
    return String(cString: folder)
  }

  private static func open(
    _ name: String, at folder: Int32, _ path: String
  ) throws(PluginProblem) -> Descriptor {
    let number = openat(folder, name, Self.place | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else { throw unreadable(path, errno) }
    return Descriptor(number)
  }

  private static func target(
    of link: borrowing Descriptor, _ path: String
  ) throws(PluginProblem) -> String {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlinkat(link.number, "", &bytes, bytes.count)
    guard count >= 0 else { throw unreadable(path, errno) }
    return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func check(
    _ folder: borrowing Descriptor, _ step: String, _ path: String
  ) throws(PluginProblem) {
    guard let status = folder.status() else { throw unreadable(path, errno) }
    guard status.isTrusted(onTheWay: true) else { throw refuse(path, step, status) }
  }

  private static func refuse(_ path: String, _ step: String, _ status: stat) -> PluginProblem {
    let isLink = status.st_mode & S_IFMT == S_IFLNK
    return PluginProblem(
      .pathTrust, file: path,
      found: "\(step): owner \(status.st_uid)" + (isLink ? "" : ", \(status.modeText)"),
      needed: PluginDirectory.trustedOwners
        + (isLink ? "" : ", not writable for group and others (chmod go-w)"))
  }

  private static func unreadable(_ path: String, _ error: Int32) -> PluginProblem {
    PluginProblem(
      .directoryOpen, file: path, found: describe(errno: error), needed: "a folder of plugins")
  }
}
