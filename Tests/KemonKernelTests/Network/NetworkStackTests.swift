// SPDX-License-Identifier: Apache-2.0

import CKernelImage
import KemonEvents
import Testing

@testable import KemonKernel

@Suite struct NetworkStackTests {
  private func refuses(_ name: String, _ body: () throws -> Void) {
    let error = #expect(throws: SocketError.self) { try body() }
    #expect(error?.description == name)
  }

  @Test(arguments: ["127.0.0.1:8080", "192.168.1.2:8080", "[::1]:8080"])
  func `two processes talk over TCP inside the model`(address: String) throws {
    let model = try NetworkModel()
    let family = end(address).address.family
    let listener = try model.run(as: NetworkModel.server) { stack in
      let socket = try stack.socket(.stream, family: family)
      try stack.bind(socket, to: end(address))
      try stack.listen(socket)
      return socket
    }
    let client = try model.run { stack in
      let socket = try stack.socket(.stream, family: family)
      try stack.connect(socket, to: end(address))
      try stack.send("GET /", on: socket)
      return socket
    }
    let connection = try model.run(as: NetworkModel.server) { try $0.accept(listener) }
    #expect(connection.remote == client.local)
    #expect(connection.local == client.remote)
    #expect(try model.stack.receiveText(connection) == "GET /")
    refuses("EAGAIN") { _ = try model.stack.receive(connection) }
    try model.stack.send("200 OK", on: connection)
    #expect(try model.stack.receiveText(client) == "200 OK")
    try model.stack.close(client)
    #expect(try model.stack.receive(connection) == nil)
    refuses("ECONNRESET") { try model.stack.send("late", on: connection) }
    refuses("EBADF") { try model.stack.send("late", on: client) }
    #expect(model.stack.sentCount == 0, "nothing left the host")
  }

  @Test func `datagrams go to who is bound`() throws {
    let model = try NetworkModel()
    let server = try model.stack.socket(.datagram)
    try model.stack.bind(server, to: end("0.0.0.0:5000"))
    let client = try model.stack.socket(.datagram)
    try model.stack.send("one", on: client, to: end("127.0.0.1:5000"))
    try model.stack.send("two", on: client, to: end("192.168.1.2:5000"))
    try model.stack.send("nobody", on: client, to: end("127.0.0.1:5001"))
    let first = try #require(try model.stack.receive(server))
    #expect(first.bytes == Array("one".utf8))
    #expect(first.from?.port == client.local?.port)
    #expect(try model.stack.receiveText(server) == "two")
    refuses("EAGAIN") { _ = try model.stack.receive(server) }
    try model.stack.send("back", on: server, to: first.from ?? end("0.0.0.0:0"))
    #expect(try model.stack.receiveText(client) == "back")
  }

  @Test func `a connected datagram socket hears that end only`() throws {
    let model = try NetworkModel()
    let socket = try model.stack.socket(.datagram)
    try model.stack.bind(socket, to: end("127.0.0.1:5000"))
    let other = try model.stack.socket(.datagram)
    try model.stack.bind(other, to: end("127.0.0.1:6000"))
    try model.stack.connect(socket, to: end("127.0.0.1:6000"))
    let stranger = try model.stack.socket(.datagram)
    try model.stack.send("stranger", on: stranger, to: end("127.0.0.1:5000"))
    try model.stack.send("friend", on: other, to: end("127.0.0.1:5000"))
    #expect(try model.stack.receiveText(socket) == "friend")
    refuses("EISCONN") { try model.stack.send("x", on: socket, to: end("127.0.0.1:7000")) }
    try model.stack.connect(socket, to: end("127.0.0.1:7000"))
    #expect(socket.remote == end("127.0.0.1:7000"))
  }

  @Test func `a remote host answers, echoes, refuses or says nothing`() throws {
    let address = try #require(IPAddress("203.0.113.5"))
    let host = RemoteHost(
      address,
      services: [
        .init(.stream, port: 80, replies: [Array("hello".utf8), [], Array("again".utf8)]),
        .init(.stream, port: 7, .echo), .init(.stream, port: 81, .refuse),
        .init(.stream, port: 82, .silent), .init(.datagram, port: 7, .echo),
      ])
    let model = try NetworkModel(hosts: [host])
    let stack = model.stack
    let web = try stack.socket(.stream)
    try stack.connect(web, to: end("203.0.113.5:80"))
    try stack.send("1", on: web)
    #expect(try stack.receiveText(web) == "hello")
    try stack.send("2", on: web)
    refuses("EAGAIN") { _ = try stack.receive(web) }
    try stack.send("3", on: web)
    #expect(try stack.receiveText(web) == "again")
    let echo = try stack.socket(.stream)
    try stack.connect(echo, to: end("203.0.113.5:7"))
    try stack.send([UInt8](repeating: 9, count: 4000), on: echo)
    #expect(try stack.receive(echo)?.bytes.count == 1460, "one segment")
    #expect(echo.waiting == 2)
    let datagram = try stack.socket(.datagram)
    try stack.send("ping", on: datagram, to: end("203.0.113.5:7"))
    #expect(try stack.receive(datagram)?.from == end("203.0.113.5:7"))
    for (port, error) in [(81, "ECONNREFUSED"), (83, "ECONNREFUSED"), (82, "ETIMEDOUT")] {
      let socket = try stack.socket(.stream)
      refuses(error) { try stack.connect(socket, to: end("203.0.113.5:\(port)")) }
      #expect(socket.remote == nil)
    }
    let lost = try stack.socket(.stream)
    refuses("EHOSTUNREACH") { try stack.connect(lost, to: end("198.51.100.1:80")) }
    #expect(stack.sentCount == 5)
    #expect(
      stack.sent.first
        == SentPacket(
          kind: .stream, source: try #require(web.local), destination: end("203.0.113.5:80"),
          bytes: [0x31]))
  }

  @Test func `a connection goes to the port that a handler gives, and the new one is asked about`()
    throws
  {
    let model = try NetworkModel(NetRules(connects: [23: 13], redirects: [80: 8080, 22: 23]))
    let listener = try model.run(as: NetworkModel.server) { stack in
      let listener = try stack.socket(.stream)
      try stack.bind(listener, to: end("127.0.0.1:8080"))
      try stack.listen(listener)
      return listener
    }
    let socket = try model.run { stack in
      let socket = try stack.socket(.stream)
      try stack.connect(socket, to: end("127.0.0.1:80"))
      return socket
    }
    #expect(socket.remote == end("127.0.0.1:8080"))
    let accepted = try model.run(as: NetworkModel.server) { try $0.accept(listener) }
    #expect(accepted.remote == socket.local)
    refuses("EACCES") {
      try model.run { try $0.connect(try $0.socket(.stream), to: end("127.0.0.1:22")) }
    }
  }

  @Test func `what cannot be done fails with Darwin's errors`() throws {
    // The kernel itself binds here, whoever was at work on this thread before.
    Lane.current.process = nil
    let model = try NetworkModel()
    let stack = model.stack
    let stream = try stack.socket(.stream)
    refuses("ENOTCONN") { try stack.send("x", on: stream) }
    refuses("ENOTCONN") { _ = try stack.receive(stream) }
    refuses("ENOTCONN") { try stack.shutdown(stream, how: 1) }
    refuses("EINVAL") { try stack.listen(stream) }
    refuses("ECONNREFUSED") { try stack.connect(stream, to: end("127.0.0.1:9")) }
    let bound = try stack.socket(.stream)
    refuses("EADDRNOTAVAIL") { try stack.bind(bound, to: end("203.0.113.5:80")) }
    refuses("EAFNOSUPPORT") { try stack.bind(bound, to: end("[::1]:80")) }
    try stack.bind(bound, to: end("127.0.0.1:8080"))
    refuses("EINVAL") { try stack.bind(bound, to: end("127.0.0.1:8081")) }
    let second = try stack.socket(.stream)
    refuses("EADDRINUSE") { try stack.bind(second, to: end("127.0.0.1:8080")) }
    refuses("EADDRINUSE") { try stack.bind(second, to: end("0.0.0.0:8080")) }
    try stack.listen(bound)
    refuses("EAGAIN") { _ = try stack.accept(bound) }
    refuses("EOPNOTSUPP") { try stack.connect(bound, to: end("127.0.0.1:1")) }
    let datagram = try stack.socket(.datagram)
    refuses("EOPNOTSUPP") { try stack.listen(datagram) }
    refuses("EDESTADDRREQ") { try stack.send("x", on: datagram) }
    refuses("EACCES") {
      try model.run { try $0.bind(try $0.socket(.datagram), to: end("127.0.0.1:53")) }
    }
    refuses("EPROTONOSUPPORT") { _ = try stack.socket(.stream, family: 5) }
    try stack.close(datagram)
    refuses("EBADF") { try stack.close(datagram) }
  }

  @Test func `a full backlog and a full buffer hold senders back`() throws {
    let model = try NetworkModel()
    let stack = model.stack
    let listener = try stack.socket(.stream)
    try stack.bind(listener, to: end("127.0.0.1:8080"))
    try stack.listen(listener, backlog: 1)
    let first = try stack.socket(.stream)
    try stack.connect(first, to: end("127.0.0.1:8080"))
    let second = try stack.socket(.stream)
    refuses("ETIMEDOUT") { try stack.connect(second, to: end("127.0.0.1:8080")) }
    var sent = 0
    let error = #expect(throws: SocketError.self) {
      while true {
        try stack.send([UInt8](repeating: 1, count: 16 * 1024), on: first)
        sent += 1
      }
    }
    #expect(error?.description == "EAGAIN")
    #expect(sent == 16)
    let connection = try stack.accept(listener)
    #expect(try stack.receive(connection)?.bytes.count == 16 * 1024)
    try stack.send("more", on: first)
  }

  @Test func `closing frees ports, sockets and packets`() throws {
    for _ in 0..<3 {
      let model = try NetworkModel()
      let socket = try model.stack.socket(.datagram)
      try model.stack.bind(socket, to: end("127.0.0.1:5000"))
      try model.stack.send("to itself", on: socket, to: end("127.0.0.1:5000"))
      try model.stack.close(socket)
      let next = try model.stack.socket(.datagram)
      try model.stack.bind(next, to: end("127.0.0.1:5000"))
      #expect(model.stack.sockets.count == 1)
      try model.stack.close()
      #expect(model.stack.sockets.isEmpty)
      #expect(!next.isOpen)
      #expect(kernel_network_references(model.stack.network) == 1, "no socket, no packet")
    }
  }

  @Test func `the end of a process closes its sockets`() throws {
    let model = try NetworkModel()
    let (mine, others) = try model.run { (try $0.socket(.stream), try $0.socket(.datagram)) }
    let server = try model.run(as: NetworkModel.server) { try $0.socket(.stream) }
    model.stack.processEnded(2612)
    #expect(!mine.isOpen && !others.isOpen && server.isOpen)
  }
}
