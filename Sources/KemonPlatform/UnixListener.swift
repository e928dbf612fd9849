// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A Unix socket at which clients of this process' user arrive.
package struct UnixListener: Sendable {
  /// What clients send and get.
  package enum Kind: Sendable {
    /// Bytes, in order.
    case stream
    /// Messages, whole and in order.
    case messages

    fileprivate var number: Int32 {
      let kind =
        switch self {
        case .stream: Int32(SOCK_STREAM.rawValue)
        case .messages: Int32(SOCK_SEQPACKET.rawValue)
        }
      return kind | Int32(SOCK_CLOEXEC.rawValue)
    }
  }

  /// Becomes readable when a client arrives.
  package let descriptor: Int32
  private let path: String
  private let device: UInt64
  private let inode: UInt64

  /// Listens at a path that only its owner may use.
  ///
  /// What a server left behind that has died is replaced; anything else that is there is left alone.
  package init(at path: String, _ kind: Kind) throws(UnixSocketError) {
    var address = try Self.address(path)
    try Self.clear(path, kind, &address)
    let descriptor = socket(AF_UNIX, kind.number | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw .system("socket", path) }
    do throws(UnixSocketError) {
      guard Self.call(bind, descriptor, &address) == 0 else { throw .system("bind", path) }
      // Before anybody can connect: listen comes last.
      guard chmod(path, 0o600) == 0 else { throw .system("chmod", path) }
      var status = stat()
      guard lstat(path, &status) == 0 else { throw .system("lstat", path) }
      guard listen(descriptor, 16) == 0 else { throw .system("listen", path) }
      self.descriptor = descriptor
      self.path = path
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
    } catch {
      Glibc.close(descriptor)
      throw error
    }
  }

  /// Takes the next client that has arrived; nil when none has.
  package func accept() -> Int32? {
    let client = Glibc.accept(descriptor, nil, nil)
    guard client >= 0 else { return nil }
    _ = fcntl(client, F_SETFD, FD_CLOEXEC)
    return client
  }

  /// Ends listening and takes the path away, unless it is another's by now.
  package func close() {
    Glibc.close(descriptor)
    var status = stat()
    guard lstat(path, &status) == 0, UInt64(status.st_dev) == device,
      UInt64(status.st_ino) == inode
    else { return }
    unlink(path)
  }

  /// Connects to whoever listens at a path.
  ///
  /// - Returns: a descriptor that the caller closes.
  package static func connect(to path: String, _ kind: Kind) throws(UnixSocketError) -> Int32 {
    var address = try address(path)
    let descriptor = socket(AF_UNIX, kind.number, 0)
    guard descriptor >= 0 else { throw .system("socket", path) }
    guard call(Glibc.connect, descriptor, &address) == 0 else {
      let error = UnixSocketError.system("connect", path)
      Glibc.close(descriptor)
      throw error
    }
    return descriptor
  }

  private static func address(_ path: String) throws(UnixSocketError) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard (1..<room).contains(path.utf8.count), !path.utf8.contains(0) else {
      throw UnixSocketError(
        .badPath, path, "\(path.utf8.count) bytes found, needed are 1 to \(room - 1)")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return address
  }

  private static func call(
    _ function: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32, _ descriptor: Int32,
    _ address: inout sockaddr_un
  ) -> Int32 {
    withUnsafePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        function(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  /// Takes away the socket of a server that is gone.
  private static func clear(
    _ path: String, _ kind: Kind, _ address: inout sockaddr_un
  ) throws(UnixSocketError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw UnixSocketError(.pathTaken, path, "is there and is no socket; it was left alone")
    }
    let probe = socket(AF_UNIX, kind.number, 0)
    guard probe >= 0 else { throw .system("socket", path) }
    defer { Glibc.close(probe) }
    guard call(Glibc.connect, probe, &address) != 0, errno == ECONNREFUSED else {
      throw UnixSocketError(
        .alreadyServed, path, "somebody listens there; needed is another path")
    }
    guard unlink(path) == 0 else { throw .system("unlink", path) }
  }
}
