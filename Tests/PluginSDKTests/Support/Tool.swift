// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A program of the system that a test runs.
struct Tool {
  /// What a run came to.
  struct Result {
    let status: Int32
    let output: String
  }

  let path: String

  /// Finds a program in PATH; nil when there is none.
  init?(_ name: String) {
    let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
    guard
      let folder = folders.first(where: {
        FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
      })
    else { return nil }
    path = "\(folder)/\(name)"
  }

  /// Whether there is a program of that name.
  static func exists(_ name: String) -> Bool { Tool(name) != nil }

  /// Runs the program and returns what it printed, errors included.
  ///
  /// Not through Foundation's Process: its children inherit a mask that blocks SIGCHLD, and CMake waits for ever.
  func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Result {
    let (child, output) = try start([path] + arguments, environment)
    let reader = FileHandle(fileDescriptor: output, closeOnDealloc: true)
    let text = reader.readDataToEndOfFile()
    var end: Int32 = 0
    guard waitpid(child, &end, 0) == child else { throw Failure(errno) }
    // As a shell tells it: the exit code, or 128 and the signal.
    let code = end & 0x7F == 0 ? (end >> 8) & 0xFF : 128 + (end & 0x7F)
    return Result(status: code, output: String(decoding: text, as: UTF8.self))
  }

  // One at a time: another child that inherits the writing end would keep the reader waiting.
  private static let starting = NSLock()

  /// Starts the program; returns its id and where its output can be read.
  private func start(
    _ arguments: [String], _ environment: [String: String]
  ) throws -> (child: pid_t, output: Int32) {
    Self.starting.lock()
    defer { Self.starting.unlock() }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Failure(errno) }
    _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
    defer { close(ends[1]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
    posix_spawn_file_actions_addclose(&actions, ends[1])
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    var nothing = sigset_t()
    sigemptyset(&nothing)
    posix_spawnattr_setsigmask(&attributes, &nothing)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    var child: pid_t = 0
    let status = withCStrings(arguments) { arguments in
      withCStrings(variables.map { "\($0)=\($1)" }) { variables in
        posix_spawn(&child, path, &actions, &attributes, arguments, variables)
      }
    }
    guard status == 0 else {
      close(ends[0])
      throw Failure(status)
    }
    return (child, ends[0])
  }

  /// Why a program could not be run.
  private struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ code: Int32) { description = String(cString: strerror(code)) }
  }
}

/// Calls the body with a list of C strings that a nil pointer ends.
private func withCStrings<Value>(
  _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
) -> Value {
  let copies = texts.map { strdup($0) } + [nil]
  defer { for copy in copies { free(copy) } }
  return copies.withUnsafeBufferPointer { buffer in
    guard let list = buffer.baseAddress else { preconditionFailure("a list has its end") }
    return body(list)
  }
}
