// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// The members that steps about sockets share, and how they are read.
enum SocketFields {
  static let socket = SessionField.required("socket", .shortText(1...63), "what it is called")
  static let kind = SessionField.required("type", .choice(["tcp", "udp"]), "tcp or udp")
  static let address = SessionField.required("address", .text, "an IPv4 or IPv6 address")
  static let port = SessionField.required(
    "port", .integer(UInt16.self), "the port; 0 lets the kernel choose one")
  static let text = SessionField.optional("text", .text, "what, as a text")
  static let bytes = SessionField.optional("bytes", .bytes, "what, as hexadecimal digits")

  static func kind(_ members: SessionMembers) -> SocketKind {
    members.required("type").string == "tcp" ? .stream : .datagram
  }

  static func address(_ value: SessionValue) throws(SessionError) -> IPAddress {
    guard let address = IPAddress(value.string) else {
      throw value.error("\"\(value.string)\" is no IPv4 or IPv6 address")
    }
    return address
  }

  static func ether(_ value: SessionValue) throws(SessionError) -> EtherAddress {
    guard let address = EtherAddress(value.string) else {
      throw value.error("\"\(value.string)\" is no link address; needed is aa:bb:cc:dd:ee:ff")
    }
    return address
  }

  static func end(_ members: SessionMembers) throws(SessionError) -> Endpoint {
    Endpoint(
      address: try address(members.required("address")), port: members.required("port").integer())
  }

  /// The end that `address` and `port` say, when they are there.
  static func endIfAny(_ members: SessionMembers) throws(SessionError) -> Endpoint? {
    guard let address = members["address"] else {
      if let port = members["port"] { throw port.error("needed is \"address\", too") }
      return nil
    }
    guard let port = members["port"] else { throw address.error("needed is \"port\", too") }
    return Endpoint(address: try self.address(address), port: port.integer())
  }

  /// Text or bytes; one of both.
  static func content(_ members: SessionMembers) throws(SessionError) -> [UInt8] {
    switch (members["text"], members["bytes"]) {
    case (let text?, nil): return Array(text.string.utf8)
    case (nil, let bytes?): return bytes.bytes
    default: throw members.object.error("needed is \"text\" or \"bytes\"")
    }
  }
}

extension StepContext {
  /// Does something with a socket that an earlier step has made.
  func withSocket(
    _ name: String, _ body: (ModelSocket) throws(SocketError) -> String
  ) -> StepOutcome {
    guard let socket = objects.find(name, as: ModelSocket.self) else {
      return .result(SocketError.badDescriptor.number, "no socket \(name) was made")
    }
    return perform { () throws(SocketError) in try body(socket) }
  }

  /// Does something with the network, and says what came of it.
  func perform(_ body: () throws(SocketError) -> String) -> StepOutcome {
    do throws(SocketError) {
      return .done(try body())
    } catch {
      return .result(error.number)
    }
  }
}
