// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import Synchronization

/// A socket filter of somebody else in the model: gives the same answer to one of its callbacks, and lets pass the rest.
public final class ScriptedFilter: Sendable {
  /// The callback that it answers.
  public enum Callback: String, Sendable, CaseIterable {
    case bind, listen, accept
    case connectIn = "connect_in"
    case connectOut = "connect_out"
    case dataIn = "data_in"
    case dataOut = "data_out"
  }

  let name: String
  let handle: UInt32
  private let callback: Callback
  private let answer: Int32
  private let answers = Atomic<Int>(0)

  /// Describes a filter.
  ///
  /// - Parameter answer: 0, Darwin's number of an error, or ``SocketFilterRule/justReturn``.
  public init(_ name: String, _ callback: Callback, answer: Int32) {
    self.name = name
    self.callback = callback
    self.answer = answer
    // Any number that is not taken will do: the kernel compares them only.
    handle = Self.lastHandle.wrappingAdd(1, ordering: .relaxed).newValue
  }

  private static let lastHandle = Atomic<UInt32>(0x4B45_0000)

  /// How often it was asked.
  public var askedCount: Int { answers.load(ordering: .relaxed) }

  private func ask(_ asked: Callback) -> Int32 {
    guard asked == callback else { return 0 }
    answers.wrappingAdd(1, ordering: .relaxed)
    return answer
  }

  /// A packet that a filter keeps is its own; this one has no use for it.
  private func ask(_ asked: Callback, _ packet: UnsafeMutablePointer<kernel_mbuf>?) -> Int32 {
    let answer = ask(asked)
    if answer == SocketFilterRule.justReturn { m_freem(packet) }
    return answer
  }

  /// The filter as the kernel takes it.
  static var calls: kernel_sflt_filter {
    var calls = kernel_sflt_filter()
    calls.sf_attach = { cookie, handle in
      guard let cookie, let handle, let socket = ModelSocket.of(handle),
        let filter = socket.protocols.filter(kernel_sflt_attaching())
      else { return SocketError.noDevice.number }
      cookie.pointee = Unmanaged.passRetained(filter).toOpaque()
      return 0
    }
    calls.sf_detach = { cookie, _ in
      if let cookie { Unmanaged<ScriptedFilter>.fromOpaque(cookie).release() }
    }
    calls.sf_bind = { cookie, _, _ in with(cookie) { $0.ask(.bind) } }
    calls.sf_listen = { cookie, _ in with(cookie) { $0.ask(.listen) } }
    calls.sf_accept = { cookie, _, _, _, _ in with(cookie) { $0.ask(.accept) } }
    calls.sf_connect_in = { cookie, _, _ in with(cookie) { $0.ask(.connectIn) } }
    calls.sf_connect_out = { cookie, _, _ in with(cookie) { $0.ask(.connectOut) } }
    calls.sf_data_in = { cookie, _, _, data, _, _ in
      with(cookie) { $0.ask(.dataIn, data?.pointee) }
    }
    calls.sf_data_out = { cookie, _, _, data, _, _ in
      with(cookie) { $0.ask(.dataOut, data?.pointee) }
    }
    return calls
  }
}

/// Hands the filter to a callback without touching its reference count.
private func with(
  _ cookie: UnsafeMutableRawPointer?, _ body: (ScriptedFilter) -> Int32
) -> Int32 {
  guard let cookie else { return 0 }
  return Unmanaged<ScriptedFilter>.fromOpaque(cookie)._withUnsafeGuaranteedRef(body)
}
