// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
public import KemonEvents

extension NetworkStack {
  /// Sets an option of a socket.
  ///
  /// - Parameters:
  ///   - name: Darwin's number, as in `SO_REUSEADDR`.
  ///   - level: Darwin's number, as in `SOL_SOCKET`.
  public func setOption(
    _ name: Int32, level: Int32, to value: Int32, on socket: ModelSocket
  ) throws(SocketError) {
    var option = kernel_sockopt(level: level, name: name, value: value)
    try call(socket) { sosetoptlock($0, &option, 1) }
  }

  /// Reads an option of a socket.
  ///
  /// - Throws: ENOPROTOOPT for one that was never set.
  public func option(
    _ name: Int32, level: Int32, of socket: ModelSocket
  ) throws(SocketError) -> Int32 {
    var option = kernel_sockopt(level: level, name: name, value: 0)
    try call(socket) { sogetoptlock($0, &option, 1) }
    return option.value
  }

  /// Asks a socket's protocol for something else; the model's know no request.
  public func control(_ request: UInt64, on socket: ModelSocket) throws(SocketError) {
    try call(socket) { soioctl($0, request, nil) }
  }

  /// One end of a socket as the process is told, which filters may change.
  ///
  /// - Parameter isPeer: the other end.
  public func name(
    of socket: ModelSocket, isPeer: Bool = false
  ) throws(SocketError) -> Endpoint {
    var name = kernel_sockaddr()
    try call(socket) { sogetaddr_locked($0, &name, isPeer ? 1 : 0) }
    guard let end = name.endpoint else { throw .invalid }
    return end
  }
}
