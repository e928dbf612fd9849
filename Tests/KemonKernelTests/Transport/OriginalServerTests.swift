// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonKernel

/// "Event transport": every type, several clients, loss counted and told, nobody delayed.
@Suite struct OriginalServerTests {
  /// A client of the test.
  private final class Client {
    let descriptor: Int32

    init(_ path: String) throws {
      descriptor = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      let status = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      guard status == 0 else { throw Failure(code: errno) }
    }

    deinit { close(descriptor) }

    struct Failure: Error { let code: Int32 }

    /// Every message until the server ends.
    func readAll() -> [[UInt8]] {
      var messages: [[UInt8]] = []
      while let message = read() { messages.append(message) }
      return messages
    }

    func read() -> [UInt8]? {
      var buffer = [UInt8](repeating: 0, count: 100_000)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      return count > 0 ? Array(buffer.prefix(count)) : nil
    }
  }

  private let folder: ScratchFolder
  private let path: String
  private let ring = EventRing()
  private let dispatcher: Dispatcher

  init() throws {
    folder = try ScratchFolder()
    path = folder.file("kemon.sock")
    dispatcher = Dispatcher(ring: ring)
  }

  private func serve(
    overflow: OverflowPolicy = .block, limit: OriginalQueue.Limit = .original
  ) throws -> OriginalServer {
    try OriginalServer(listeningAt: path, ring: ring, overflow: overflow, limit: limit)
  }

  private func connect(_ server: OriginalServer) throws -> Client {
    let before = server.clientCount
    let client = try Client(path)
    while server.clientCount == before { usleep(500) }
    return client
  }

  private func publish(_ kinds: [EventKind]) {
    var builder = RecordBuilder()
    for kind in kinds {
      OriginalSamples.make(kind, &builder)
      dispatcher.dispatch(&builder)
    }
  }

  private func type(_ message: [UInt8]) -> Int32 {
    message.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
  }

  @Test func `Event transport: several clients get every type, each the same`() throws {
    let server = try serve()
    let clients = try (0..<3).map { _ in try connect(server) }
    publish(
      EventKind.allKinds.filter { $0 != EventKind(KEMON_KIND_KERNEL_LOG) }.filter {
        OriginalMessage.kinds.contains($0)
      })
    let accounts = server.stop()
    let expected = EventKind.allKinds.filter { OriginalMessage.kinds.contains($0) }
      .map { Int32($0.rawValue) }
    let received = clients.map { $0.readAll() }
    #expect(received[0].map(type) == expected)
    #expect(received[1] == received[0] && received[2] == received[0])
    #expect(
      accounts
        == (1...3).map {
          OriginalServer.ClientAccount(number: $0, offered: 17, sent: 17, lost: 0)
        })
    #expect(server.account.isBalanced)
    #expect(server.account.delivered == 17)
  }

  @Test func `who comes later gets what happens later`() throws {
    let server = try serve()
    let first = try connect(server)
    publish([EventKind(KEMON_KIND_FILE_OPEN)])
    #expect(first.read().map(type) == 0)
    let second = try connect(server)
    publish([EventKind(KEMON_KIND_FILE_DELETE)])
    let accounts = server.stop()
    #expect(second.readAll().map(type) == [7])
    #expect(first.readAll().map(type) == [7])
    #expect(accounts.map(\.offered) == [2, 1])
  }

  @Test func `a client that does not read delays nobody, and is told what it lost`() throws {
    let server = try serve(limit: OriginalQueue.Limit(messages: 100, bytes: 64 << 20))
    let lazy = try connect(server)
    let busy = try connect(server)
    let count = 2000
    let reader = Reader(busy.descriptor)
    let thread = WorkerThread(named: "client") { reader.run(until: count) }
    // The busy client reads as fast as we publish, so that its own queue never fills.
    for index in 0..<count {
      publish([EventKind(KEMON_KIND_FILE_OPEN)])
      while reader.count + 50 < index { usleep(100) }
    }
    thread.join()
    #expect(reader.count == count)
    // Now there is room for the lazy one, and the next message tells what is missing.
    var received = [Int32]()
    var lost: UInt64 = 0
    while received.count < 100, let message = lazy.read() { received.append(type(message)) }
    var last: [UInt8]?
    while last == nil {
      publish([EventKind(KEMON_KIND_FILE_DELETE)])
      while let message = lazy.read() {
        if type(message) == OriginalMessage.lostType {
          #expect(message.count == 2096)
          lost = message.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: 2088, as: UInt64.self)
          }
        }
        received.append(type(message))
        if type(message) == 7 {
          last = message
          break
        }
      }
    }
    let accounts = server.stop()
    let opened = received.count { $0 == 0 }
    #expect(lost > 0 && opened + Int(lost) == count, "\(opened) read, \(lost) told as lost")
    #expect(received.firstIndex(of: OriginalMessage.lostType) == opened)
    #expect(accounts[0].lost == lost && accounts[1].lost == 0)
    for account in accounts { #expect(account.offered == account.sent + account.lost) }
  }

  /// Reads on a thread of its own.
  private final class Reader: @unchecked Sendable {
    // Unchecked: the counter is behind a lock.
    private let descriptor: Int32
    private let lock = NSLock()
    private var received = 0
    var count: Int { lock.withLock { received } }

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    func run(until limit: Int) {
      var buffer = [UInt8](repeating: 0, count: 100_000)
      while count < limit, recv(descriptor, &buffer, buffer.count, 0) > 0 {
        lock.withLock { received += 1 }
      }
    }
  }

  @Test func `a client that leaves is counted, and the others go on`() throws {
    let server = try serve()
    let staying = try connect(server)
    var leaving: Client? = try connect(server)
    publish([EventKind(KEMON_KIND_FILE_OPEN)])
    #expect(leaving?.read() != nil)
    leaving = nil
    while server.clientCount == 2 { usleep(500) }
    publish([EventKind(KEMON_KIND_FILE_DELETE)])
    let accounts = server.stop()
    #expect(staying.readAll().map(type) == [0, 7])
    #expect(accounts.map(\.offered) == [2, 1])
  }

  @Test func `what a client says is not heeded`() throws {
    let server = try serve()
    let client = try connect(server)
    for _ in 0..<10 { #expect(send(client.descriptor, "hello", 5, 0) == 5) }
    publish([EventKind(KEMON_KIND_FILE_OPEN)])
    #expect(client.read().map(type) == 0)
    server.stop()
  }

  // MARK: The socket

  @Test func `the socket is its owner's alone, and goes away at the end`() throws {
    let server = try serve()
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    server.stop()
    server.stop()
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(server.clientCount == 0)
  }

  @Test func `a socket that a dead server left is replaced`() throws {
    let descriptor = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        #expect(bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0)
      }
    }
    close(descriptor)
    let server = try serve()
    _ = try connect(server)
    server.stop()
  }

  @Test func `another server and another file are left alone`() throws {
    let server = try serve()
    var error = #expect(throws: OriginalServerError.self) { try serve() }
    #expect(error?.code == .alreadyServed)
    server.stop()
    try folder.write("precious", to: "kemon.sock")
    error = #expect(throws: OriginalServerError.self) { try serve() }
    #expect(error?.code == .pathTaken)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
  }

  @Test func `a path that cannot be is refused with what is wrong`() throws {
    for path in ["", "/tmp/" + String(repeating: "x", count: 108)] {
      let error = #expect(throws: OriginalServerError.self) {
        try OriginalServer(listeningAt: path, ring: ring, overflow: .drop)
      }
      #expect(error?.code == .badPath)
    }
    let error = #expect(throws: OriginalServerError.self) {
      try OriginalServer(listeningAt: "/nowhere/kemon.sock", ring: ring, overflow: .drop)
    }
    #expect(error?.code == .system)
    #expect(error?.description == "/nowhere/kemon.sock: bind: No such file or directory")
  }

  @Test func `a queue loses the newest, and its accounts balance`() {
    var queue = OriginalQueue(OriginalQueue.Limit(messages: 2, bytes: 10))
    let message: [UInt8] = [0, 1, 2, 3]
    for _ in 0..<5 { queue.append(message, at: 0) }
    #expect(queue.count == 2)
    #expect(queue.account == OriginalQueue.Account(offered: 5, sent: 0, lost: 3))
    var seen = 0
    let taken = queue.drain(limit: 64) { _ in
      seen += 1
      return seen == 1 ? .taken : .later
    }
    #expect(taken == 1)
    queue.append([9], at: 0)
    queue.abandon()
    #expect(queue.account == OriginalQueue.Account(offered: 6, sent: 1, lost: 5))
    #expect(queue.isEmpty)
  }
}
