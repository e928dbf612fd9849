// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonEvents
internal import KemonHooks
internal import KemonPlatform
internal import Synchronization

/// How Kemon watches the network: its socket filters, and a hook around the kernel's function that connects sockets.
///
/// The filters see what passes and can drop a query. The hook asks the plugins before and after a connection is made,
/// does not let a denied one begin, and lets the caller see a replaced result.
final class NetworkMonitor: Sendable {
  private let network: UInt
  private let records: KernelRecords
  private let hook = PosixLock<Hook?>(nil)
  private let isRegistered = Atomic<Bool>(false)
  private let lastOperation = Atomic<UInt64>(0)

  init(_ network: OpaquePointer, records: KernelRecords) throws(KernelError) {
    self.network = UInt(bitPattern: network)
    self.records = records
    // The context is not retained: detach() takes the hook out before the monitor goes away.
    let handlers = HookHandlers(
      pre: { context, frame in NetworkMonitor.with(context) { $0.willConnect(frame) } },
      post: { context, frame in NetworkMonitor.with(context) { $0.didConnect(frame) } },
      context: Unmanaged.passUnretained(self).toOpaque())
    let attached = try KernelFunction.named("soconnectlock")
      .attach(HookOptions(vectors: .integersOnly), handlers: handlers)
    hook.withLock { $0 = attached }
    let before = kernel_network_enter(network)
    defer { kernel_network_enter(before) }
    do {
      try SocketFilters.register()
    } catch {
      try detach()
      throw KernelError(.hook, "sflt_register: \(error)")
    }
    isRegistered.store(true, ordering: .relaxed)
  }

  /// Takes the filters out, in the calling thread's network; the first time only.
  func unregister() {
    if isRegistered.exchange(false, ordering: .relaxed) { SocketFilters.unregister() }
  }

  /// Takes the hook out; returns after the last call has left.
  func detach() throws(KernelError) {
    do {
      try hook.withLock { $0.take() }?.detach()
    } catch {
      throw KernelError("soconnectlock", error)
    }
  }

  // MARK: Around soconnectlock

  /// The connection of a call, when it belongs to this model and not to another one of the process.
  private func connection(_ frame: UnsafeMutablePointer<HookFrame>) -> (ModelSocket, Endpoint)? {
    guard let handle = OpaquePointer(bitPattern: UInt(frame.pointee.rdi)),
      UInt(bitPattern: kernel_socket_network(handle)) == network,
      let socket = ModelSocket.of(handle),
      let end = UnsafePointer<kernel_sockaddr>(bitPattern: UInt(frame.pointee.rsi))?.pointee
        .endpoint
    else { return nil }
    return (socket, end)
  }

  private func willConnect(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
    guard let (socket, destination) = connection(frame) else { return Int32(CKEMON_PROCEED) }
    // Kept for post, which is told the same operation: 0 says that pre was not.
    let operation = lastOperation.wrappingAdd(1, ordering: .relaxed).newValue
    frame.pointee.scratch.0 = operation
    var port: UInt16?
    let verdict = records.connecting(socket, to: destination, operation: operation) { port = $0 }
    guard verdict.isDenied else {
      if let port { Self.setPort(port, frame) }
      return Int32(CKEMON_PROCEED)
    }
    frame.pointee.number = SocketError(linux: verdict.error).number
    return Int32(CKEMON_SKIP)
  }

  /// Sends a connection to another port of the same host: the kernel goes on with its own copy of the address.
  private static func setPort(_ port: UInt16, _ frame: UnsafeMutablePointer<HookFrame>) {
    let address = UnsafeMutablePointer<kernel_sockaddr>(bitPattern: UInt(frame.pointee.rsi))
    address?.pointee.port = port.bigEndian
  }

  private func didConnect(_ frame: UnsafeMutablePointer<HookFrame>) {
    guard frame.pointee.scratch.0 != 0, let (socket, destination) = connection(frame) else {
      return
    }
    let verdict = records.connected(
      socket, to: destination, error: frame.pointee.number,
      operation: frame.pointee.scratch.0)
    // Records and verdicts have Linux' numbers, the caller gets Darwin's.
    guard let replacement = verdict.replacement else { return }
    let number =
      replacement == 0
      ? 0 : SocketError(linux: Int32(truncatingIfNeeded: replacement)).number
    frame.pointee.number = number
  }

  /// Hands the monitor to a handler without touching its reference count.
  private static func with<Result>(
    _ context: UnsafeMutableRawPointer?, _ body: (NetworkMonitor) -> Result
  ) -> Result {
    guard let context else { preconditionFailure("a hook without its monitor") }
    return Unmanaged<NetworkMonitor>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
  }
}
