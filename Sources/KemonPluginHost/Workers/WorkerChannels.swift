// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import Glibc
import KemonBus

/// How events travel to a worker.
enum WorkerTransport: String {
  /// Through shared rings, for those who can wait on a word of memory.
  case ring
  /// Through sockets, for everybody.
  case socket
}

/// The channels of one process, made before it starts.
struct WorkerChannels {
  let feed: any WorkerFeed
  let lanes: [any WorkerLane]
  /// For the child: the feed's, then those of the lanes.
  let descriptors: [Int32]
  private let rings: [SharedRing]
  private let sockets: [SocketChannel]
  private let farEnds: [OwnedDescriptor]

  init(_ transport: WorkerTransport, lanes count: Int) throws(WorkerFailure) {
    switch transport {
    case .ring:
      do throws(RingError) {
        let feed = try RingFeed()
        var lanes: [RingLane] = []
        for _ in 0..<count { lanes.append(try RingLane()) }
        self.feed = feed
        self.lanes = lanes
        rings = [feed.shared] + lanes.map(\.shared)
      } catch {
        throw WorkerFailure(error.description)
      }
      sockets = []
      farEnds = []
      descriptors = rings.map(\.descriptor)
    case .socket:
      var channels: [SocketChannel] = []
      var far: [OwnedDescriptor] = []
      for _ in 0...count {
        let pair = try DescriptorPair.sockets(SOCK_SEQPACKET)
        channels.append(SocketChannel(pair.near.release()))
        far.append(pair.far)
      }
      feed = SocketFeed(channels[0])
      lanes = channels.dropFirst().map { SocketLane($0) }
      rings = []
      sockets = channels
      farEnds = far
      descriptors = far.map(\.number)
    }
  }

  /// Lets waiting for an answer end when the process ends; sockets tell it themselves.
  func watch(_ pid: pid_t) {
    for ring in rings { try? ring.watch(peer: pid) }
  }
}

/// A descriptor that is closed with its owner.
final class OwnedDescriptor: Sendable {
  let number: Int32

  init(_ number: Int32, _ what: String) throws(WorkerFailure) {
    guard number >= 0 else { throw WorkerFailure("\(what): \(describe(errno: errno))") }
    self.number = number
  }

  deinit { close(number) }

  /// Another descriptor for the same, which whoever takes it closes.
  func release() -> Int32 { fcntl(number, F_DUPFD_CLOEXEC, 0) }
}

/// Two ends: ours, and the child's.
struct DescriptorPair {
  let near: OwnedDescriptor
  let far: OwnedDescriptor

  /// A pipe that the child writes to.
  static func pipe() throws(WorkerFailure) -> DescriptorPair {
    var ends: [Int32] = [-1, -1]
    let result = ckemon_pipe(&ends)
    guard result == 0 else { throw WorkerFailure("a pipe: \(describe(errno: -result))") }
    return DescriptorPair(
      near: try OwnedDescriptor(ends[0], "a pipe"), far: try OwnedDescriptor(ends[1], "a pipe"))
  }

  /// Two sockets that are connected.
  static func sockets(_ type: __socket_type) throws(WorkerFailure) -> DescriptorPair {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
      throw WorkerFailure("a socket: \(describe(errno: errno))")
    }
    return DescriptorPair(
      near: try OwnedDescriptor(ends[0], "a socket"), far: try OwnedDescriptor(ends[1], "a socket"))
  }
}
