// SPDX-License-Identifier: Apache-2.0

import CKernelImage
import CKernelImageFixtures
import Foundation
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonKernel

/// Each callback of a socket filter, and what its answers do: the rows of the kernel's own table.
@Suite struct SocketFilterEffectTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let number: Int32
    let callback: String
    let kind: String
    let onJustReturn: String
    let onError: String
    var testDescription: String { callback }
  }

  static let rows: [Row] = {
    let text = try? String(
      contentsOf: Checkout.fixture("Facts/sockfilter-callbacks.tsv"), encoding: .utf8)
    return (text ?? "").split(separator: "\n").dropFirst().enumerated()
      .map { index, line in
        let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        return Row(
          number: Int32(index), callback: cells[0], kind: cells[3], onJustReturn: cells[4],
          onError: cells[5])
      }
  }()

  /// What can be seen of an operation about which the newest filter had something to say.
  struct Effect: Equatable {
    /// The caller's error; nil for success.
    var error: String?
    /// Whether the operation was done.
    var isDone = false
    /// Packets that are the filter's now.
    var owned: Int32 = 0
  }

  /// The words of the table.
  static let effects: [String: Effect] = [
    "not attached": Effect(),
    "success, chain stops": Effect(isDone: true),
    "errno to caller": Effect(error: "EPERM"),
    "filter owns the data, not freed, not queued": Effect(owned: 1),
    "data freed, silently dropped (caller sees nothing)": Effect(),
    "filter owns the data, send returns success": Effect(owned: 1),
    "data freed, errno to sender": Effect(error: "EPERM"),
    "treated as an error: connection dropped": Effect(error: "ETIMEDOUT"),
    "connection dropped (no new socket, segment dropped)": Effect(error: "ETIMEDOUT"),
    "connect returns 0, protocol not called": Effect(),
    "bind returns 0, protocol not called": Effect(),
    "returns 0, option not set": Effect(),
    "returns 0, option not read": Effect(),
    "listen returns 0, protocol not called": Effect(),
    "returns 0, ioctl not done": Effect(),
    "accept succeeds, socket made defunct (disconnected)": Effect(),
    "socket closed, errno to accept caller": Effect(error: "EPERM"),
  ]

  @Test func `the table has sixteen rows`() {
    #expect(Self.rows.count == Int(PROBE_CALLBACKS))
    #expect(Self.rows.map(\.callback).prefix(3) == ["sf_unregistered", "sf_attach", "sf_detach"])
  }

  @Test(arguments: rows)
  func `every callback's answers have the effect that the table says`(row: Row) throws {
    // Without an answer everything is done, and both filters are asked.
    let usual = try perform(row, answer: 0)
    #expect(usual.effect.isDone && usual.effect.owned == 0)
    #expect(usual.asked == [true, true])
    guard row.kind == "filter" || row.callback == "sf_attach" else {
      #expect(row.onJustReturn == "-" && row.onError == "-")
      return
    }
    for (answer, words) in [(KERNEL_EJUSTRETURN, row.onJustReturn), (1, row.onError)] {
      let expected = try #require(Self.effects[words], "\(words)")
      let (effect, asked) = try perform(row, answer: answer)
      #expect(effect == expected, "\(row.callback) answers \(answer): \(words)")
      // The older filter is not asked; attaching is no chain.
      #expect(asked == [row.callback == "sf_attach", true], "\(row.callback) answers \(answer)")
    }
  }

  /// Lets the operation of a callback happen, about which the newer of two filters answers.
  private func perform(
    _ row: Row, answer: Int32
  ) throws -> (effect: Effect, asked: [Bool]) {
    let model = try NetworkModel()
    let stack = model.stack
    let (older, newer) = (SocketProbe(handle: 1), SocketProbe(handle: 2))
    let isStream = ["sf_connect_in", "sf_connect_out", "sf_listen", "sf_accept"]
      .contains(row.callback)
    for probe in [older, newer] {
      #expect(probe.register(stack, isStream ? .stream : .datagram) == 0)
    }
    newer.answer(row.number, answer)
    var effect = Effect()
    effect.isDone = try catching(&effect.error) {
      try happen(row.callback, stack, answer: answer)
    }
    if row.callback == "sf_unregistered" || row.callback == "sf_detach" {
      #expect(newer.unregister(stack) == 0 && older.unregister(stack) == 0)
    }
    effect.owned = newer.freeOwned()
    let asked = [older, newer].map { $0.count(Int(row.number)) > 0 }
    for socket in stack.sockets { try? stack.close(socket) }
    #expect(kernel_network_references(stack.network) == 1, "\(row.callback): something leaks")
    if stack.inNetwork({ kernel_network_filters(stack.network) }) > 4 {
      #expect(newer.unregister(stack) == 0 && older.unregister(stack) == 0)
    }
    return (effect, asked)
  }

  private func catching(_ error: inout String?, _ body: () throws -> Bool) throws -> Bool {
    do {
      return try body()
    } catch let failure as SocketError {
      error = failure.description
      return false
    }
  }

  /// Does what a callback is about; true when it was really done.
  private func happen(_ callback: String, _ stack: NetworkStack, answer: Int32) throws -> Bool {
    switch callback {
    case "sf_attach", "sf_detach", "sf_notify", "sf_unregistered":
      let socket = try stack.socket(.datagram)
      try stack.bind(socket, to: end("127.0.0.1:5000"))
      return socket.filters == 3
    case "sf_getsockname", "sf_getpeername":
      let socket = try stack.socket(.datagram)
      try stack.connect(socket, to: end("127.0.0.1:5000"))
      let isPeer = callback == "sf_getpeername"
      return try stack.name(of: socket, isPeer: isPeer) == (isPeer ? socket.remote : socket.local)
    case "sf_data_in", "sf_data_out":
      let receiver = try stack.socket(.datagram)
      try stack.bind(receiver, to: end("127.0.0.1:5000"))
      try stack.send("x", on: try stack.socket(.datagram), to: end("127.0.0.1:5000"))
      return receiver.waiting == 1
    case "sf_bind":
      let socket = try stack.socket(.datagram)
      try stack.bind(socket, to: end("127.0.0.1:5000"))
      return socket.local == end("127.0.0.1:5000")
    case "sf_setoption", "sf_getoption":
      let socket = try stack.socket(.datagram)
      try stack.setOption(4, level: 0xFFFF, to: 7, on: socket)
      if callback == "sf_getoption" { return try stack.option(4, level: 0xFFFF, of: socket) == 7 }
      return (try? stack.option(4, level: 0xFFFF, of: socket)) == 7
    case "sf_ioctl":
      let socket = try stack.socket(.datagram)
      do throws(SocketError) {
        try stack.control(0x1234, on: socket)
        return false
      } catch .notTTY {
        // The protocol's own answer.
        return true
      }
    default: return try happenOnStreams(callback, stack)
    }
  }

  private func happenOnStreams(_ callback: String, _ stack: NetworkStack) throws -> Bool {
    let listener = try stack.socket(.stream)
    try stack.bind(listener, to: end("127.0.0.1:8080"))
    try stack.listen(listener)
    let client = try stack.socket(.stream)
    if callback == "sf_listen" {
      return (try? stack.connect(client, to: end("127.0.0.1:8080"))) != nil
    }
    try stack.connect(client, to: end("127.0.0.1:8080"))
    if callback == "sf_connect_out" { return client.remote != nil }
    let connection = try stack.accept(listener)
    return try connection.withHandle { kernel_socket_is_connected($0) }
  }
}
