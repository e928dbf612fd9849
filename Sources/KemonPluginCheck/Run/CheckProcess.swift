// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import Glibc

/// A process that runs one check, and how it ended.
struct CheckProcess {
  enum End: Equatable {
    case exited(Int32)
    case killed(signal: Int32)
    case timedOut
    case notStarted(errno: Int32)
  }

  /// Runs this program again with other arguments, and waits for it.
  ///
  /// Its standard output and error go to a file in memory: nothing that a plugin prints mixes with the report.
  ///
  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - board: what the process finds at ``CheckBoard/descriptor``.
  ///   - limit: nanoseconds; then the process is killed. What it started is killed with it, and also behind an end of its
  ///     own, but for processes that have left its group.
  /// - Returns: how it ended, and the end of what it printed.
  static func run(
    _ arguments: [String], board: CheckBoard, limit: UInt64
  ) -> (end: End, printed: String) {
    let output = ckemon_memfd_create("kemon-check-output")
    guard output >= 0 else { return (.notStarted(errno: -output), "") }
    defer { close(output) }
    var child: pid_t = 0
    let status = spawn(arguments, board.number, output, &child)
    guard status == 0 else { return (.notStarted(errno: status), "") }
    return (wait(for: child, limit: limit), tail(of: output))
  }

  private static func spawn(
    _ arguments: [String], _ board: Int32, _ output: Int32, _ child: inout pid_t
  ) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, output, 2)
    posix_spawn_file_actions_adddup2(&actions, board, CheckBoard.descriptor)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    // A group of its own, to be killed as one.
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    // The runtime's own report of a crash takes longer than the check.
    let environment = inherited() + ["SWIFT_BACKTRACE=enable=no"]
    return withCStrings(["kemon-host"] + arguments) { arguments in
      withCStrings(environment) { environment in
        posix_spawn(&child, "/proc/self/exe", &actions, &attributes, arguments, environment)
      }
    }
  }

  private static func inherited() -> [String] {
    ProcessState.variables().filter { !$0.hasPrefix("SWIFT_BACKTRACE=") }
  }

  private static func wait(for child: pid_t, limit: UInt64) -> End {
    var isLate = true
    var waited: UInt64 = 0
    // Most checks take some milliseconds; asking again costs nobody anything.
    let step: UInt64 = 1_000_000
    while true {
      // It stays a zombie: what is killed below is its group, and not that of whoever gets its number.
      var info = siginfo_t()
      guard waitid(P_PID, id_t(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno == EINTR
      else { return .notStarted(errno: errno) }
      isLate = info.si_signo == 0
      guard isLate, waited < limit else { break }
      var pause = timespec(tv_sec: 0, tv_nsec: Int(step))
      nanosleep(&pause, nil)
      waited += step
    }
    kill(-child, SIGKILL)
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { return .notStarted(errno: errno) }
    }
    if isLate { return .timedOut }
    return status & 0x7F == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: status & 0x7F)
  }

  /// The last lines that were printed.
  private static func tail(of file: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 1024)
    let size = lseek(file, 0, SEEK_END)
    let count = pread(file, &bytes, bytes.count, max(0, size - off_t(bytes.count)))
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    return text.split(separator: "\n").suffix(3).joined(separator: " / ")
  }

  /// Calls the body with a list of C strings that a nil pointer ends.
  private static func withCStrings<Value>(
    _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
  ) -> Value {
    let copies = texts.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return copies.withUnsafeBufferPointer { buffer in
      guard let list = buffer.baseAddress else { preconditionFailure("a list has its end") }
      return body(list)
    }
  }
}
