// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonPlatform
public import KemonText

/// Asks a running host over its control socket.
public struct ControlClient: ~Copyable {
  /// Why there is no answer, or a refusal.
  public enum Failure: Error, Equatable {
    /// No host can be reached at the socket: the reason in words.
    case unreachable(String)
    /// The socket is another user's: the reason in words.
    case forbidden(String)
    /// The host refuses: the id of the broken rule, and words.
    case refused(rule: String, message: String)
  }

  private let path: String
  private let descriptor: Int32

  /// Connects to a host.
  public init(connectingTo path: String) throws(Failure) {
    self.path = path
    do throws(UnixSocketError) {
      descriptor = try UnixListener.connect(to: path, .stream)
    } catch {
      switch error.number {
      case EACCES, EPERM:
        throw .forbidden("\(path): \(error.message); the socket is for the user who runs the host")
      case ENOENT, ECONNREFUSED:
        throw .unreachable("\(path): no host listens there; start one with --control \(path)")
      default: throw .unreachable("\(path): \(error.message)")
      }
    }
  }

  deinit { close(descriptor) }

  /// Sends a request and waits for its answer, as long as it takes.
  ///
  /// - Returns: the members of the answer.
  public func ask(_ request: [String: JSONValue]) throws(Failure) -> [String: JSONValue] {
    try send(JSONValue.object(request).text)
    let line = try receive()
    guard let members = (try? JSONValue(parsing: line))?.members else {
      throw .unreachable("\(path): what answers is no host")
    }
    if members["ok"]?.bool == true { return members }
    throw .refused(
      rule: members["rule"]?.string ?? "", message: members["message"]?.string ?? "no reason")
  }

  private func send(_ line: String) throws(Failure) {
    let bytes = Array((line + "\n").utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...]
        .withUnsafeBytes {
          Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw gone() }
      sent += count
    }
  }

  private func receive() throws(Failure) -> [UInt8] {
    var line: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 64 << 10)
    while line.last != UInt8(ascii: "\n") {
      let count = recv(descriptor, &block, block.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw gone() }
      line += block[..<count]
    }
    return line.dropLast()
  }

  private func gone() -> Failure {
    .unreachable("\(path): the host has ended, or closed the connection")
  }
}
