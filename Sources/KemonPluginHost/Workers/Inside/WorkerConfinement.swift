// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import Glibc

/// What a worker gives up before it loads its plugin.
///
/// ```
/// ends with its host · no new privileges · no capabilities · limits · Landlock · a list of system calls
/// ```
enum WorkerConfinement {
  /// Gives everything up that the plugin was not granted.
  ///
  /// - Returns: what holds it, in words.
  /// - Throws: ``WorkerFailure`` when something that this kernel has cannot be had: then no plugin is loaded.
  ///
  /// - Parameters:
  ///   - grants: capabilities.
  ///   - paths: what it needs to be able to read beside what all do.
  ///   - isProgram: it becomes another program afterwards.
  static func enter(
    _ grants: [String], _ limits: WorkerLimits, reading paths: [String] = [],
    isProgram: Bool = false
  ) throws(WorkerFailure) -> String {
    try check(ckemon_confine_begin(), "no new privileges")
    try check(ckemon_confine_capabilities(), "giving up capabilities")
    try limit(limits, canWrite: grants.contains("fs.data"))
    let files = try confineFiles(paths, net: grants.contains("net"))
    var flags: UInt32 = 0
    if grants.contains("net") { flags |= UInt32(CKEMON_CONFINE_NET) }
    if grants.contains("fs.data") { flags |= UInt32(CKEMON_CONFINE_WRITE) }
    if isProgram { flags |= UInt32(CKEMON_CONFINE_EXEC) }
    let calls = ckemon_confine_calls(flags)
    if calls != -ENOSYS && calls != -EINVAL { try check(calls, "the list of system calls") }
    return "no new privileges, no capabilities, limits, \(files), "
      + (calls == 0 ? "system calls" : "not its system calls: this kernel has no filter for them")
  }

  private static func check(_ result: Int32, _ what: String) throws(WorkerFailure) {
    guard result == 0 else { throw WorkerFailure("\(what): \(describe(errno: -result))") }
  }

  private static func limit(_ limits: WorkerLimits, canWrite: Bool) throws(WorkerFailure) {
    let rows: [(Int32, UInt64, String)] = [
      (CKEMON_LIMIT_MEMORY, addressSpace() + limits.memory, "memory"),
      (CKEMON_LIMIT_THREADS, 4096, "threads"),
      (CKEMON_LIMIT_DESCRIPTORS, limits.descriptors, "descriptors"),
      (CKEMON_LIMIT_CORE, 0, "core files"),
      (CKEMON_LIMIT_FILE, canWrite ? limits.fileSize : 0, "file sizes"),
    ]
    for (which, value, what) in rows {
      try check(ckemon_confine_limit(which, value), "a limit for \(what)")
    }
    // When memory is short the kernel looks here first.
    let score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)
    if score >= 0 {
      _ = write(score, "1000", 4)
      close(score)
    }
  }

  /// Bytes that the program itself takes.
  private static func addressSpace() -> UInt64 {
    let pages = text(of: "/proc/self/statm").split(separator: " ").first.flatMap { UInt64($0) } ?? 0
    return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
  }

  // MARK: Files

  /// What every program needs to be able to read.
  private static let common = [
    "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/zero",
    "/dev/urandom", "/proc/self", "/sys/devices/system/cpu",
  ]

  private static func confineFiles(
    _ paths: [String], net: Bool
  ) throws(WorkerFailure) -> String {
    let paths = common + libraryFolders() + paths
    let copies = paths.map { CText.copy($0) }
    let list = copies.map { ckemon_confine_path(path: $0, writable: 0, reserved: 0) }
    let result = list.withUnsafeBufferPointer {
      ckemon_confine_files($0.baseAddress, $0.count, net ? 1 : 0)
    }
    guard result < 0 else { return "Landlock \(result)" }
    guard result == -ENOSYS || result == -EOPNOTSUPP else {
      throw WorkerFailure("Landlock: \(describe(errno: -result))")
    }
    return "not its files: this kernel has no Landlock"
  }

  /// Folders of the libraries that the program itself needed: the plugin will need some of them.
  private static func libraryFolders() -> [String] {
    var folders: Set<String> = []
    for line in text(of: "/proc/self/maps").split(separator: "\n") where line.contains(".so") {
      guard let start = line.firstIndex(of: "/"), let end = line.lastIndex(of: "/"), start < end
      else { continue }
      folders.insert(String(line[start..<end]))
    }
    return folders.sorted()
  }

  private static func text(of path: String) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = read(file, &block, block.count)
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += block[..<count]
    }
  }
}
