// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// What is known of a TCP connection while its segments go by.
///
/// The local side is the one that opened it. Bytes are those behind the TCP headers, as they were on the wire: what
/// was sent again counts again. Packets are all segments, those without data too.
struct TCPFlow {
  /// Two ends, whichever sends.
  struct Key: Hashable {
    let low: Endpoint
    let high: Endpoint

    init(_ one: Endpoint, _ other: Endpoint) {
      (low, high) = one < other ? (one, other) : (other, one)
    }
  }

  /// One direction.
  struct Side {
    var ether: EtherAddress?
    var bytes: UInt64 = 0
    var packets: UInt32 = 0
    /// The first segment with data, at most ``TCPFlow/keptBytes`` of it.
    var first: [UInt8]?
    var isCut = false
    var isFinished = false
  }

  /// How the opening of a connection that was seen from its start goes.
  enum Opening {
    case notSeen
    case asked(operation: UInt64)
    case answered
  }

  static let keptBytes = 4096

  let local: Endpoint
  let remote: Endpoint
  let start: UInt64
  var stop: UInt64
  var sent = Side()
  var received = Side()
  var opening = Opening.notSeen
  /// Nothing more is expected: the detach was told.
  var isClosed = false

  /// Begins with the first segment that is seen.
  init(_ segment: TCPSegment, at time: UInt64) {
    let isOpener: Bool
    if segment.isSynchronise {
      isOpener = !segment.isAcknowledge
    } else {
      // Joined in the middle: servers are the ones with the well-known port, else who speaks first is taken.
      isOpener = !(segment.source.port < 1024 && segment.destination.port >= 1024)
    }
    local = isOpener ? segment.source : segment.destination
    remote = isOpener ? segment.destination : segment.source
    start = time
    stop = time
  }

  /// Whether both sides said that they are done.
  var isFinished: Bool { sent.isFinished && received.isFinished }

  /// Whether this segment opens a new connection between the same ends.
  func isReplaced(by segment: TCPSegment) -> Bool {
    segment.isSynchronise && !segment.isAcknowledge
      && (isClosed || isFinished || sent.bytes > 0 || received.bytes > 0)
  }

  mutating func add(_ segment: TCPSegment, _ link: LinkFrame, at time: UInt64) {
    stop = max(stop, time)
    if segment.source == local {
      Self.add(segment, to: &sent)
      sent.ether = link.source ?? sent.ether
      received.ether = link.destination ?? received.ether
    } else {
      Self.add(segment, to: &received)
      received.ether = link.source ?? received.ether
      sent.ether = link.destination ?? sent.ether
    }
  }

  private static func add(_ segment: TCPSegment, to side: inout Side) {
    side.packets &+= 1
    side.bytes &+= UInt64(segment.length)
    side.isFinished = side.isFinished || segment.isFinish
    if side.first == nil, segment.length > 0 {
      side.first = Array(segment.payload.prefix(keptBytes))
      side.isCut = segment.payload.count > keptBytes || segment.payload.count < segment.length
    }
  }
}
