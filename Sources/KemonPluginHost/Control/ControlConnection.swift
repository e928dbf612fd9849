// SPDX-License-Identifier: Apache-2.0

import Glibc

/// One client of the control socket, at the host's end; closed with its object.
final class ControlConnection {
  let descriptor: Int32
  private var buffer: [UInt8] = []

  /// How long a client may take to read an answer.
  private static let patienceSeconds = 2

  /// Takes over a connection; nil when its other end is somebody else's.
  init?(_ descriptor: Int32) {
    self.descriptor = descriptor
    guard let user = Self.peer(of: descriptor), user == 0 || user == geteuid() else { return nil }
    _ = fcntl(descriptor, F_SETFL, 0)
    var patience = timeval(tv_sec: Self.patienceSeconds, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  /// The user at the other end.
  private static func peer(of descriptor: Int32) -> uid_t? {
    // struct ucred: pid, uid, gid.
    var words: [UInt32] = [0, 0, 0]
    var size = socklen_t(12)
    guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &words, &size) == 0, size == 12 else {
      return nil
    }
    return words[1]
  }

  /// Reads what is there, and answers every whole line.
  ///
  /// - Returns: false when the client is gone or may stay no longer.
  func serve(_ service: ControlService) -> Bool {
    var block = [UInt8](repeating: 0, count: 64 << 10)
    let count = recv(descriptor, &block, block.count, Int32(MSG_DONTWAIT))
    if count < 0 { return errno == EAGAIN || errno == EINTR }
    guard count > 0 else { return false }
    buffer += block[..<count]
    while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
      let line = Array(buffer[..<end])
      buffer.removeSubrange(...end)
      guard send(service.answer(line)) else { return false }
    }
    guard buffer.count < ControlRequest.sizeLimit else {
      _ = send(
        ControlService.refusal(
          ControlRefusal(
            "control.size", "a line has at most \(ControlRequest.sizeLimit) bytes")))
      return false
    }
    return true
  }

  private func send(_ line: String) -> Bool {
    let bytes = Array((line + "\n").utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...]
        .withUnsafeBytes {
          Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }
}
