// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonEvents

/// How the calls of sockets ask the MAC policies of their kernel.
struct SocketPolicies: Sendable {
  /// An operation of the policies.
  enum Operation: Int, CaseIterable {
    case create, bind, listen, connect, accept, accepted, send, receive

    /// The name, as in `mpo_socket_check_bind`.
    var name: String { "mpo_socket_check_\(self)" }
  }

  private let ask: @Sendable (Operation, UInt64, UInt64, UInt64) -> Int32

  /// Takes what is asked: gets the arguments behind the credentials, returns 0 or an error of Darwin's.
  init(_ ask: @escaping @Sendable (Operation, UInt64, UInt64, UInt64) -> Int32) { self.ask = ask }

  /// A kernel without policies.
  static let none = SocketPolicies { _, _, _, _ in 0 }

  /// Whether a socket may be made.
  func check(_ family: UInt16, _ kind: SocketKind) throws(SocketError) {
    let domain = family == 4 ? KERNEL_AF_INET : KERNEL_AF_INET6
    let type = kind == .stream ? KERNEL_SOCK_STREAM : KERNEL_SOCK_DGRAM
    try SocketError.check(ask(.create, UInt64(domain), UInt64(type), 0))
  }

  /// Whether something may be done with a socket, with an address where the operation has one.
  func check(
    _ operation: Operation, _ socket: ModelSocket, _ end: Endpoint? = nil
  ) throws(SocketError) {
    let error = try socket.withHandle { handle in
      let socket = UInt64(UInt(bitPattern: handle))
      guard let end else { return ask(operation, socket, 0, 0) }
      var name = kernel_sockaddr(end)
      return withUnsafePointer(to: &name) { name in
        ask(operation, socket, 0, UInt64(UInt(bitPattern: name)))
      }
    }
    try SocketError.check(error)
  }
}

extension SocketPolicies {
  /// The policies of a kernel.
  init(asking mac: MACFramework) {
    let slots = Operation.allCases.map { mac.slot(named: $0.name) }
    self.init { mac.check(slots[$0.rawValue], 0, $1, $2, $3) }
  }
}
