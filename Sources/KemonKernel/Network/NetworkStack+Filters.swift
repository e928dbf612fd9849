// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

extension NetworkStack {
  /// Registers another socket filter: it is asked before those that were there.
  ///
  /// - Parameter meetsExisting: whether sockets that are there get it, too.
  public func register(
    _ filter: ScriptedFilter, _ kind: SocketKind, family: UInt16 = 4, meetsExisting: Bool = false
  ) throws(SocketError) {
    let isNew = protocols.tables.withLock { tables in
      guard tables.filters[filter.name] == nil else { return false }
      tables.filters[filter.name] = filter
      return true
    }
    guard isNew else { throw .named("EEXIST") }
    let error = filter.name.withCString { name in
      var calls = ScriptedFilter.calls
      calls.sf_handle = filter.handle
      calls.sf_name = name
      calls.sf_flags =
        SFLT_GLOBAL | SFLT_EXTENDED | (meetsExisting ? SFLT_EXTENDED_REGISTRY : 0)
      return inNetwork {
        sflt_register(
          &calls, family == 4 ? KERNEL_AF_INET : KERNEL_AF_INET6,
          kind == .stream ? KERNEL_SOCK_STREAM : KERNEL_SOCK_DGRAM, Int32(kind.ipProtocol))
      }
    }
    if error != 0 { protocols.tables.withLock { $0.filters[filter.name] = nil } }
    try SocketError.check(error)
  }

  /// Unregisters a filter: it is detached from every socket.
  ///
  /// - Throws: ENOENT when there is none of that name.
  public func unregister(_ name: String) throws(SocketError) {
    let filter = protocols.tables.withLock { $0.filters.removeValue(forKey: name) }
    guard let filter else { throw .named("ENOENT") }
    try SocketError.check(inNetwork { sflt_unregister(filter.handle) })
  }
}
