// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What belongs to the process and not to a plugin, at one moment.
struct ProcessState: Equatable {
  /// Threads that there are.
  let threads: Set<String>
  /// Open descriptors.
  let descriptors: Set<String>
  /// What signals do, and which are blocked.
  let signals: [String]
  /// Environment variables.
  let environment: [String]
  /// Working folder, file mode mask, locale, and how numbers are rounded.
  let settings: [String]
  /// Processes that this one has started.
  let children: Set<String>

  /// The state now.
  static func now() -> ProcessState {
    ProcessState(
      threads: names(in: "/proc/self/task"), descriptors: openDescriptors(),
      signals: signals(), environment: variables().sorted(), settings: currentSettings(),
      children: startedProcesses())
  }

  /// The number of threads, when those that are about to end have had the time to.
  static func settledThreads(atMost limit: Int) -> Int {
    var count = 0
    // The kernel takes a joined thread off its list a moment after the join.
    for _ in 0..<200 {
      count = names(in: "/proc/self/task").count
      if count <= limit { return count }
      usleep(1000)
    }
    return count
  }

  // MARK: Parts

  private static func names(in folder: String) -> Set<String> {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: Set<String> = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.insert(name) }
    }
    return names
  }

  /// Without the one that reads this list.
  private static func openDescriptors() -> Set<String> {
    names(in: "/proc/self/fd").filter { fcntl(Int32($0) ?? -1, F_GETFD) >= 0 }
  }

  private static func signals() -> [String] {
    var lines: [String] = []
    for number in Int32(1)..<65 {
      var action = sigaction()
      guard sigaction(number, nil, &action) == 0 else { continue }
      let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
      lines.append("\(number) \(handler) \(action.sa_flags)")
    }
    var mask = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &mask)
    lines += (Int32(1)..<65).filter { sigismember(&mask, $0) == 1 }.map { "blocked \($0)" }
    return lines
  }

  /// The environment.
  static func variables() -> [String] {
    var texts: [String] = []
    var next = environ
    while let text = next.pointee {
      texts.append(String(cString: text))
      next += 1
    }
    return texts
  }

  private static func currentSettings() -> [String] {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let folder = getcwd(&path, path.count).map { String(cString: $0) } ?? "?"
    let mask = umask(0o22)
    umask(mask)
    let locale = setlocale(LC_ALL, nil).map { String(cString: $0) } ?? "?"
    return [
      "folder \(folder)", "umask \(String(mask, radix: 8))", "locale \(locale)",
      "rounding \(fegetround())",
    ]
  }

  private static func startedProcesses() -> Set<String> {
    guard let file = fopen("/proc/self/task/\(getpid())/children", "r") else { return [] }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = fread(&bytes, 1, bytes.count, file)
    return Set(
      String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: " ").map(String.init))
  }
}

extension ProcessState {
  /// What a later state has that this one had not, and the other way round; empty when a part is the same.
  static func change(_ before: [String], _ after: [String]) -> String {
    let (old, new) = (Set(before), Set(after))
    let gone = old.subtracting(new).sorted().map { "-\($0)" }
    let come = new.subtracting(old).sorted().map { "+\($0)" }
    return (gone + come).joined(separator: ", ")
  }
}
