// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import KemonBus
import KemonTestSupport
import Testing

/// The process that made the ring is killed at random moments; the program in C on the far side goes on.
@Suite(.serialized, .enabled(if: RingPeer.program != nil, "needs a C compiler, cc"))
struct SharedRingCreatorDeathTests {
  /// A pipe whose end for writing goes to a child.
  private struct Line {
    let reading: FileHandle
    let writing: Int32

    init() throws {
      var ends: [Int32] = [-1, -1]
      guard pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      reading = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
      writing = ends[1]
    }

    /// The bytes up to the next end of a line.
    func next() throws -> String {
      var text: [UInt8] = []
      while let byte = try reading.read(upToCount: 1)?.first, byte != 10 { text.append(byte) }
      return String(decoding: text, as: UTF8.self)
    }
  }

  /// Starts creator and peer, kills the creator a little later, and returns the numbers that the peer then writes.
  private static func account(
    _ creator: [String], _ peer: [String], after microseconds: UInt32
  ) throws -> [UInt64] {
    let (fromCreator, fromPeer) = (try Line(), try Line())
    let program = Products.folder.appending(path: "ring-creator").path
    let none = open("/dev/null", O_RDONLY | O_CLOEXEC)
    let maker = try RingPeer(program, creator, input: none, output: fromCreator.writing)
    close(none)
    close(fromCreator.writing)
    let number = try fromCreator.next()
    let ring = open("/proc/\(maker.pid)/fd/\(number)", O_RDWR | O_CLOEXEC)
    try #require(ring >= 0, "descriptor \(number)")
    let survivor = try RingPeer(
      try #require(RingPeer.program), peer, input: ring, output: fromPeer.writing)
    close(ring)
    close(fromPeer.writing)
    #expect(try fromPeer.next() == "ready")
    usleep(microseconds)
    maker.kill()
    let numbers = try fromPeer.next().split(separator: " ").compactMap { UInt64($0) }
    #expect(survivor.waitForEnd() == 0)
    return numbers
  }

  @Test func `a reader in C survives two hundred deaths of the creator that publishes`() throws {
    var random = SplitMix64(seed: 21)
    var (delivered, lost) = (UInt64(0), UInt64(0))
    for death in 0..<Stress.deaths {
      let account = try Self.account(
        ["publish", "\(death)"], ["outlive-producer"],
        after: UInt32.random(in: 200...4000, using: &random))
      // Passed, delivered, lost, given up, wrong.
      try #require(account.count == 5)
      #expect(account[0] == account[1] + account[2], "nothing disappears: \(account)")
      #expect(account[2] == account[3] && account[2] <= 1, "one thread published: \(account)")
      #expect(account[4] == 0, "every record whole and in its place: \(account)")
      delivered += account[1]
      lost += account[2]
    }
    #expect(delivered > UInt64(2 * Stress.deaths))
    // Copying takes most of the time, so that some deaths meet a record that is being written.
    #expect(lost > 0 || Stress.deaths < 100)
  }

  @Test func `a producer in C survives two hundred deaths of the creator that reads`() throws {
    var random = SplitMix64(seed: 22)
    var read: UInt64 = 0
    for death in 0..<Stress.deaths {
      let account = try Self.account(
        ["read"], ["outlive-reader", "\(death)"],
        after: UInt32.random(in: 200...4000, using: &random))
      // Published, released by the reader, left unread.
      try #require(account.count == 3)
      #expect(account[0] == account[1] + account[2], "nothing disappears: \(account)")
      #expect(account[2] <= 64, "a ring at most: \(account)")
      read += account[1]
    }
    #expect(read > UInt64(2 * Stress.deaths))
  }
}
