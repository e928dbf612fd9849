// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonEvents
internal import KemonPlatform

/// What Kemon keeps of one socket from its attachment to its detachment: the cookie of Kemon's socket filters.
final class SocketStatistics: Sendable {
  /// One direction.
  struct Direction {
    var packets: UInt32 = 0
    var bytes: UInt64 = 0
    /// The first packet, at most ``SocketStatistics/keptBytes`` of it; nil when there was none.
    var first: [UInt8]?
    var isCut = false

    mutating func add(_ count: Int, _ packet: @autoclosure () -> UnsafeRawBufferPointer) {
      packets &+= 1
      bytes &+= UInt64(count)
      guard first == nil, count > 0 else { return }
      let packet = packet()
      first = Array(packet.first(SocketStatistics.keptBytes))
      isCut = packet.count > SocketStatistics.keptBytes
    }
  }

  struct State {
    var source: Endpoint?
    var destination: Endpoint?
    /// Of this host, and of whoever sends to it.
    var sourceEther: EtherAddress?
    var destinationEther: EtherAddress?
    var received = Direction()
    var sent = Direction()
  }

  /// Bytes of a first packet that are kept: a frame of Ethernet, and more.
  static let keptBytes = 2048

  let kind: SocketKind
  let family: UInt16
  /// Remembered: packets arrive on threads that are in no process.
  let owner: Session.Process?
  let start: UInt64
  let protocols: InternetProtocols
  private let state = PosixLock(State())

  init(_ socket: ModelSocket) {
    kind = socket.kind
    family = socket.family
    owner = socket.owner
    protocols = socket.protocols
    start = protocols.records.dispatcher.time
  }

  /// What is known now.
  var now: State { state.withLock { $0 } }

  func bind(to source: Endpoint) { state.withLock { $0.source = source } }

  func connect(to destination: Endpoint) { state.withLock { $0.destination = destination } }

  /// The kernel has chosen an end, or a connection has both.
  ///
  /// Of a datagram socket the source stays what the process asked for.
  func take(endsOf socket: ModelSocket) {
    let (local, remote) = socket.state.withLock { ($0.local, $0.remote) }
    state.withLock { state in
      if kind == .stream || state.source == nil { state.source = local ?? state.source }
      state.destination = remote ?? state.destination
    }
  }

  /// A packet has come in.
  func addReceived(_ packet: kernel_mbuf) {
    let header = packet.header
    state.withLock { state in
      // The frame comes to this host: its receiver is the local side, its sender the remote one.
      if state.destinationEther == nil, !header.isEmpty {
        state.sourceEther = EtherAddress(header, at: 0)
        state.destinationEther = EtherAddress(header, at: 6)
      }
      // Of a stream with its headers, as they lie in front of it.
      state.received.add(Int(packet.len), kind == .stream ? packet.frame : packet.payload)
    }
  }

  /// A packet goes out.
  func addSent(_ packet: kernel_mbuf) {
    state.withLock { $0.sent.add(Int(packet.len), packet.payload) }
  }
}

extension kernel_mbuf {
  /// The bytes that a program sent or gets.
  var payload: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: data, count: Int(len))
  }

  /// The headers in front of them; empty when none are known.
  var header: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: data - Int(header_len), count: Int(header_len))
  }

  /// Both.
  var frame: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: data - Int(header_len), count: Int(header_len + len))
  }
}
