// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
public import KemonEvents
internal import KemonPlatform

/// A TCP or UDP socket of a process of the model.
///
/// Any thread. After ``NetworkStack/close(_:)`` every call fails with EBADF.
public final class ModelSocket: Sendable {
  /// 4 or 6.
  public let family: UInt16
  /// TCP or UDP.
  public let kind: SocketKind
  /// Who made it; of an accepted connection, who listens.
  let owner: Session.Process?
  let protocols: InternetProtocols
  let state: PosixLock<State>

  struct State {
    /// The kernel's socket; nil once it is closed.
    var handle: OpaquePointer? {
      get { OpaquePointer(bitPattern: address) }
      set { address = UInt(bitPattern: newValue) }
    }
    // A number, so that the state may be sent to where the lock is.
    private var address: UInt
    var local: Endpoint?
    /// Whether the process chose the local address, and not the kernel.
    var isBound = false
    var remote: Endpoint?
    /// Who is at the other end, when that is in the model, too.
    var peer: ModelSocket?
    /// The host at the other end, when it is a described one.
    var host: RemoteHost?
    /// How many packets a remote service has got from this socket.
    var served = 0
    /// The next sequence number of the other end's bytes.
    var sequence: UInt32 = 1
    /// Connections that wait to be accepted, and how many may.
    var arrived: [ModelSocket] = []
    var backlog = 0

    init(_ handle: OpaquePointer) { address = UInt(bitPattern: handle) }
  }

  init(
    _ handle: OpaquePointer, family: UInt16, _ kind: SocketKind, owner: Session.Process?,
    _ protocols: InternetProtocols
  ) {
    self.family = family
    self.kind = kind
    self.owner = owner
    self.protocols = protocols
    state = PosixLock(State(handle))
  }

  /// The local end; nil before the kernel or the process has chosen one.
  public var local: Endpoint? { state.withLock { $0.local } }
  /// The other end of a connected socket.
  public var remote: Endpoint? { state.withLock { $0.remote } }
  /// Whether it has not been closed.
  public var isOpen: Bool { state.withLock { $0.handle != nil } }
  /// How many packets wait to be received.
  public var waiting: Int { (try? withHandle { kernel_socket_waiting($0) }) ?? 0 }
  /// How many socket filters are attached.
  public var filters: Int { (try? withHandle { kernel_socket_filters($0) }) ?? 0 }

  /// Calls the body with the kernel's socket, which stays in memory meanwhile even when it is closed.
  ///
  /// - Throws: EBADF when it has been closed before.
  func withHandle<Result>(
    _ body: (OpaquePointer) throws(SocketError) -> Result
  ) throws(SocketError) -> Result {
    let handle = state.withLock { state in
      if let handle = state.handle { kernel_socket_retain(handle) }
      return state.handle
    }
    guard let handle else { throw .badDescriptor }
    defer { kernel_socket_release(handle) }
    return try body(handle)
  }

  /// The socket behind a kernel's socket.
  static func of(_ handle: OpaquePointer) -> ModelSocket? {
    kernel_socket_pcb(handle).map { Unmanaged<ModelSocket>.fromOpaque($0).takeUnretainedValue() }
  }
}
