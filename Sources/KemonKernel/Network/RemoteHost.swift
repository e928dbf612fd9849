// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

/// A host that the model's sockets can talk to, and what it answers.
public struct RemoteHost: Sendable {
  /// What answers at one port.
  public struct Service: Sendable {
    /// What it does with whom connects, or with a datagram.
    public enum Behaviour: String, Sendable, CaseIterable {
      /// Takes what comes, and answers.
      case answer
      /// Sends back what comes.
      case echo
      /// Refuses connections; datagrams are lost.
      case refuse
      /// Says nothing: a connection times out.
      case silent
    }

    /// TCP or UDP.
    public let kind: SocketKind
    /// The port, in host byte order.
    public let port: UInt16
    /// What it does.
    public let behaviour: Behaviour
    /// The answer to the first, second, … packet of a socket; an empty one is none.
    public let replies: [[UInt8]]

    /// Describes a service.
    public init(
      _ kind: SocketKind, port: UInt16, _ behaviour: Behaviour = .answer, replies: [[UInt8]] = []
    ) {
      self.kind = kind
      self.port = port
      self.behaviour = behaviour
      self.replies = replies
    }
  }

  /// Its address.
  public let address: IPAddress
  /// The link address that its packets come from: its own, or that of the router in front of it.
  public let ether: EtherAddress?
  /// What answers there; other ports refuse.
  public let services: [Service]

  /// Describes a host.
  public init(_ address: IPAddress, ether: EtherAddress? = nil, services: [Service] = []) {
    self.address = address
    self.ether = ether
    self.services = services
  }
}
