// SPDX-License-Identifier: Apache-2.0

import CKernelImage
import CKernelImageFixtures
import KemonKernel
import KemonPlatform

@testable import KemonKernel

/// A socket filter of a test: keeps what it was asked, and answers what it is told.
final class SocketProbe: Sendable {
  struct State {
    var answers: [Int32: Int32] = [:]
    var calls: [Int32: Int] = [:]
    var events: [Int32] = []
    var order: [Int32] = []
  }

  static let handles = 1...UInt32(1000)

  let handle: UInt32
  private let number: Int32
  private let state = PosixLock(State())
  private let whenCalled: @Sendable (Int32) -> Void

  /// Takes a filter.
  ///
  /// - Parameter whenCalled: is run inside each call, with the callback's number.
  init(handle: UInt32, whenCalled: @escaping @Sendable (Int32) -> Void = { _ in }) {
    self.handle = handle
    self.whenCalled = whenCalled
    // The probe outlives its filter: give() is called when the filter is gone.
    let box = Box()
    number = socket_probe_take(
      { context, callback, _, event in
        guard let context else { return 0 }
        let box = Unmanaged<Box>.fromOpaque(context).takeUnretainedValue()
        return box.probe?.called(callback, event) ?? 0
      }, Unmanaged.passRetained(box).toOpaque())
    precondition(number >= 0, "all probes are taken")
    box.probe = self
  }

  // Unchecked: set once, before the filter is registered.
  private final class Box: @unchecked Sendable {
    weak var probe: SocketProbe?
  }

  deinit { socket_probe_give(number) }

  /// Registers it; the error is the kernel's.
  func register(
    _ stack: NetworkStack, _ kind: SocketKind, family: UInt16 = 4,
    flags: Int32 = SFLT_GLOBAL | SFLT_EXTENDED
  ) -> Int32 {
    stack.inNetwork {
      socket_probe_register(
        number, handle, flags, family == 4 ? KERNEL_AF_INET : KERNEL_AF_INET6,
        kind == .stream ? KERNEL_SOCK_STREAM : KERNEL_SOCK_DGRAM)
    }
  }

  func unregister(_ stack: NetworkStack) -> Int32 {
    stack.inNetwork { sflt_unregister(handle) }
  }

  func answer(_ callback: Int32, _ answer: Int32) {
    state.withLock { $0.answers[callback] = answer }
  }

  func count(_ callback: Int) -> Int { state.withLock { $0.calls[Int32(callback)] ?? 0 } }
  var events: [Int32] { state.withLock { $0.events } }
  /// Every call, by its number.
  var order: [Int32] { state.withLock { $0.order } }
  /// Frees the packets that it kept, and returns how many there were.
  func freeOwned() -> Int32 { socket_probe_free_owned(number) }

  private func called(_ callback: Int32, _ event: Int32) -> Int32 {
    whenCalled(callback)
    return state.withLock { state in
      state.calls[callback, default: 0] += 1
      state.order.append(callback)
      if callback == Int32(PROBE_NOTIFY) { state.events.append(event) }
      return state.answers[callback] ?? 0
    }
  }
}
