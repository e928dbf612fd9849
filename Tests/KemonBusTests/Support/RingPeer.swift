// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import KemonBus

/// The test program in C on the far side of a shared ring.
final class RingPeer {
  /// Compiled once, by the system's compiler; nil when there is none.
  static let program = FixtureProgram.compile("RingPeer/ring_peer.c")

  let pid: pid_t
  private var isReaped = false

  /// Starts the program with the ring as its descriptor 0, and watches it from there.
  convenience init(_ ring: SharedRing, _ arguments: String...) throws {
    guard let program = Self.program else { throw CocoaError(.executableNotLoadable) }
    try self.init(program, arguments, input: ring.descriptor)
    try ring.watch(peer: pid)
  }

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - input: its descriptor 0.
  ///   - output: its descriptor 1; nil for that of the tests.
  init(_ program: String, _ arguments: [String], input: Int32, output: Int32? = nil) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    if let output { posix_spawn_file_actions_adddup2(&actions, output, 1) }
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var pid: pid_t = 0
    let status = posix_spawn(&pid, program, &actions, nil, &words, environ)
    guard status == 0 else { throw POSIXError(.init(rawValue: status) ?? .EINVAL) }
    self.pid = pid
  }

  deinit { kill() }

  /// kill -9, and waits for the end.
  func kill() {
    guard !isReaped else { return }
    Glibc.kill(pid, SIGKILL)
    waitForEnd()
  }

  /// - Returns: as the system tells it, 0 for a good end.
  @discardableResult
  func waitForEnd() -> Int32 {
    guard !isReaped else { return 0 }
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    isReaped = true
    return status
  }

  /// What the program calls the sum of bytes.
  static func sum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    bytes.reduce(1) { $0 &* 31 &+ UInt32($1) }
  }
}
