// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

// Unchecked: the C object has locks of its own, the rest is behind one.
/// Kernel authorization: the scopes of a kernel and who listens to them.
///
/// A scope has fifteen slots. Everybody is asked, in the order of the slots; a DENY sticks, and somebody must say ALLOW.
/// The rule itself is `kauth_authorize_action` in the kernel image, machine code that can be hooked.
public final class KauthScopes: @unchecked Sendable {
  let pointer: OpaquePointer
  private let state = PosixLock(State())

  private struct State {
    var credentials: [Identity: Credential] = [:]
    /// Everybody who ever listened: as in XNU a call may still be inside one that has been removed.
    var listeners: [KauthListener] = []
  }

  private struct Identity: Hashable {
    let user: UInt32
    let groups: [UInt32]
  }

  /// Makes the four scopes of a kernel: generic, process, vnode and fileop.
  public init() {
    guard let pointer = kernel_kauth_create() else {
      preconditionFailure("no memory for the scopes")
    }
    self.pointer = pointer
    kernel_kauth_set_callback(
      kernel_kauth_scope_of(pointer, KERNEL_KAUTH_SCOPE_GENERIC),
      { credential, _, action, _, _, _, _ in
        guard action == UInt32(KERNEL_KAUTH_GENERIC_ISSUSER), let credential else {
          return KERNEL_KAUTH_DENY
        }
        return credential.pointee.cr_uid == 0 ? KERNEL_KAUTH_ALLOW : KERNEL_KAUTH_DENY
      }, nil)
  }

  deinit { kernel_kauth_destroy(pointer) }

  /// A credential of this kernel; equal ones are the same object.
  ///
  /// - Parameter groups: the first one is the effective group; more than sixteen are cut.
  public func credential(user: UInt32, groups: [UInt32]) -> Credential {
    let groups = groups.isEmpty ? [0] : Array(groups.prefix(Credential.maximumGroups))
    return state.withLock { state in
      let identity = Identity(user: user, groups: groups)
      if let known = state.credentials[identity] { return known }
      let made = Credential(
        number: UInt32(state.credentials.count + 1), user: user, groups: groups, kauth: pointer)
      state.credentials[identity] = made
      return made
    }
  }

  /// Adds a listener; one for a scope that does not exist waits until it is registered.
  ///
  /// - Returns: nil when all fifteen slots of the scope are taken.
  public func listen(
    to scope: String, _ answer: @escaping @Sendable (KauthRequest) -> KauthAnswer
  ) -> KauthListener? {
    let listener = KauthListener(scope: scope, answer)
    let context = Unmanaged.passUnretained(listener).toOpaque()
    guard let pointer = kauth_listen_scope(pointer, scope, KauthListener.callback, context) else {
      return nil
    }
    listener.pointer = pointer
    state.withLock { $0.listeners.append(listener) }
    return listener
  }

  /// Removes a listener; as in XNU it may still be inside a call when this returns.
  public func unlisten(_ listener: KauthListener) {
    if let pointer = listener.pointer { kauth_unlisten_scope(self.pointer, pointer) }
  }

  /// Adds a scope, with the listeners that wait for it.
  ///
  /// - Parameter callback: the scope's own answer; nil for none, which is DEFER.
  /// - Returns: false when there is one of that name.
  public func register(
    scope: String, _ callback: (@Sendable (KauthRequest) -> KauthAnswer)? = nil
  ) -> Bool {
    guard let callback else { return kauth_register_scope(pointer, scope, nil, nil) != nil }
    let owner = KauthListener(scope: scope, callback)
    state.withLock { $0.listeners.append(owner) }
    let context = Unmanaged.passUnretained(owner).toOpaque()
    return kauth_register_scope(pointer, scope, KauthListener.callback, context) != nil
  }

  /// Asks a scope.
  ///
  /// - Returns: Darwin's number: 0, EPERM, or ENOENT when there is no such scope.
  public func authorize(
    scope: String, action: UInt32, as credential: Credential,
    _ arguments: (UInt, UInt, UInt, UInt) = (0, 0, 0, 0)
  ) -> Int32 {
    guard let found = kernel_kauth_scope_named(pointer, scope) else {
      return DarwinErrno.ENOENT.rawValue
    }
    return kauth_authorize_action(
      found, credential.pointer, action, arguments.0, arguments.1, arguments.2, arguments.3)
  }

  /// Whether a process may trace another one.
  ///
  /// - Throws: the errno that somebody suggested, EPERM otherwise.
  public func checkTrace(
    of target: ProcessContext, by tracer: ProcessContext
  ) throws(DarwinErrno) {
    Lane.current.process = tracer.process
    var suggested: Int32 = 0
    let error = withUnsafeMutablePointer(to: &suggested) { suggested in
      kauth_authorize_process(
        tracer.credential.pointer, UInt32(KERNEL_KAUTH_PROCESS_CANTRACE),
        Unmanaged.passUnretained(target).toOpaque(), UInt(bitPattern: suggested), 0, 0)
    }
    if error != 0 { throw DarwinErrno(rawValue: suggested == 0 ? error : suggested) }
  }

  /// Removes every listener, as after a new start of the machine.
  func removeListeners() {
    let listeners = state.withLock { $0.listeners }
    for listener in listeners { unlisten(listener) }
  }
}
