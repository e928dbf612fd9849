// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// The network: names are asked for, and pages are fetched.
struct NetworkLoad: LoadPart {
  static let name = "network"
  static let share = 40

  private let network: NetworkStack
  private let processes: [Session.Process]
  private let resolver: Endpoint
  private let server: Endpoint

  private static let names = [
    "www.apple.com", "safebrowsing.googleapis.com", "mtalk.google.com", "github.com",
    "time.apple.com", "cdn.example.net",
  ]

  init?(on model: KernelModel, thread: Int) {
    network = model.network
    processes = (0..<LoadProcess.count).map { number in
      model.processes.adopt(LoadProcess.user(number, thread: thread)).identity
    }
    guard let resolver = IPAddress("192.168.1.1"), let server = IPAddress("93.184.216.34") else {
      return nil
    }
    self.resolver = Endpoint(address: resolver, port: 53)
    self.server = Endpoint(address: server, port: 443)
    // Every thread describes the same hosts.
    network.add(RemoteHost(resolver, services: [.init(.datagram, port: 53, .silent)]))
    network.add(
      RemoteHost(server, services: [.init(.stream, port: 443, replies: [Array("200 OK".utf8)])]))
  }

  mutating func perform(_ random: inout LoadRandom) -> Bool {
    Lane.current.process = processes[random.below(processes.count)]
    do throws(SocketError) {
      if random.below(3) > 0 {
        try ask(for: Self.names[random.below(Self.names.count)])
      } else {
        try fetch()
      }
      return true
    } catch {
      return false
    }
  }

  private func ask(for name: String) throws(SocketError) {
    try with(.datagram, resolver) { socket throws(SocketError) in
      try network.send(Self.query(name), on: socket)
    }
  }

  private func fetch() throws(SocketError) {
    try with(.stream, server) { socket throws(SocketError) in
      try network.send(Array("GET / HTTP/1.1\r\n\r\n".utf8), on: socket)
      _ = try network.receive(socket)
    }
  }

  private func with(
    _ kind: SocketKind, _ remote: Endpoint, _ body: (ModelSocket) throws(SocketError) -> Void
  ) throws(SocketError) {
    let socket = try network.socket(kind)
    do throws(SocketError) {
      try network.connect(socket, to: remote)
      try body(socket)
    } catch {
      try network.close(socket)
      throw error
    }
    try network.close(socket)
  }

  /// A DNS message that asks for the address of a name.
  private static func query(_ name: String) -> [UInt8] {
    var message: [UInt8] = [0x9F, 0x01, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]
    for label in name.split(separator: ".") {
      message.append(UInt8(truncatingIfNeeded: label.utf8.count))
      message += Array(label.utf8)
    }
    return message + [0, 0, 1, 0, 1]
  }
}
