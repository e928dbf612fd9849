// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// One question to a scope, as its listeners see it: an action and four words.
///
/// Lives as long as the call; not for other threads.
public struct KauthRequest {
  /// The scope that is asked.
  public let scope: String
  /// The action, or bits of the scope `vnode`.
  public let action: UInt32
  /// The four words as they are.
  public let arguments: (UInt, UInt, UInt, UInt)
  let credential: UnsafePointer<kernel_ucred>

  init(
    scope: String, action: UInt32, credential: UnsafePointer<kernel_ucred>,
    arguments: (UInt, UInt, UInt, UInt)
  ) {
    self.scope = scope
    self.action = action
    self.credential = credential
    self.arguments = arguments
  }

  /// The user who asks.
  public var user: UInt32 { credential.pointee.cr_uid }

  /// The two paths of a file operation: the file, and where there is one the other file or the new name.
  ///
  /// - Returns: nil for another scope or an unknown action.
  public var paths: (first: String, second: String?)? {
    guard scope == KauthScope.fileOperation.rawValue,
      let action = FileOperationAction(rawValue: action)
    else { return nil }
    return withPathBytes(of: action) { first, second in
      (
        String(decoding: first, as: UTF8.self),
        second.map { String(decoding: $0, as: UTF8.self) }
      )
    }
  }

  /// Hands out the paths of a file operation in place.
  func withPathBytes<Result>(
    of action: FileOperationAction,
    _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer?) -> Result
  ) -> Result {
    switch action {
    case .open, .close, .execute, .delete: body(Self.text(at: arguments.1), nil)
    case .rename, .exchange, .link: body(Self.text(at: arguments.0), Self.text(at: arguments.1))
    case .willRename: body(Self.text(at: arguments.1), Self.text(at: arguments.2))
    }
  }

  /// The vnode that an action is about: scope `vnode`, and those file operations that name one.
  var vnode: UnsafeMutablePointer<kernel_vnode>? {
    switch KauthScope(rawValue: scope) {
    case .vnode: UnsafeMutablePointer(bitPattern: arguments.1)
    case .fileOperation:
      switch FileOperationAction(rawValue: action) {
      case .open, .close, .execute, .delete, .willRename:
        UnsafeMutablePointer(bitPattern: arguments.0)
      default: nil
      }
    default: nil
    }
  }

  /// The path of the vnode that the scope `vnode` asks about.
  ///
  /// - Returns: nil for another scope, and for a file that has been removed.
  public var vnodePath: String? {
    guard KauthScope(rawValue: scope) == .vnode else { return nil }
    return Self.path(of: UnsafeMutablePointer(bitPattern: arguments.1))
  }

  /// The request in words, as in `KAUTH_FILEOP_OPEN /etc/hosts`.
  public var text: String {
    switch KauthScope(rawValue: scope) {
    case .fileOperation:
      guard let action = FileOperationAction(rawValue: action), let paths else { break }
      return "KAUTH_FILEOP_\(action.name) \(paths.first)" + (paths.second.map { " \($0)" } ?? "")
    case .vnode:
      guard let vnode else { break }
      let isDirectory = Int32(vnode.pointee.v_type) == KERNEL_VDIR
      return VnodeActions(rawValue: action).text(isDirectory: isDirectory) + " " + (vnodePath ?? "")
    case .process where action == UInt32(KERNEL_KAUTH_PROCESS_CANTRACE):
      guard let target = UnsafeRawPointer(bitPattern: arguments.0) else { break }
      return "KAUTH_PROCESS_CANTRACE \(ProcessContext.of(process: target).process.comm)"
    case .generic where action == UInt32(KERNEL_KAUTH_GENERIC_ISSUSER):
      return "KAUTH_GENERIC_ISSUSER"
    default: break
    }
    return "action \(action) of \(scope)"
  }

  /// Leaves an errno that fits better than "no": in the scope `vnode`, and for tracing.
  ///
  /// It counts when the request is refused, whoever refuses it.
  public func suggest(_ error: DarwinErrno) {
    let word: UInt
    switch KauthScope(rawValue: scope) {
    case .vnode: word = arguments.3
    case .process where action == UInt32(KERNEL_KAUTH_PROCESS_CANTRACE): word = arguments.1
    default: return
    }
    UnsafeMutablePointer<Int32>(bitPattern: word)?.pointee = error.rawValue
  }

  static func path(of vnode: UnsafeMutablePointer<kernel_vnode>?) -> String? {
    guard let vnode else { return nil }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(KERNEL_MAXPATHLEN)) { room in
      var length = Int32(KERNEL_MAXPATHLEN)
      guard let start = room.baseAddress, vn_getpath(vnode, start, &length) == 0 else { return nil }
      return String(
        decoding: UnsafeRawBufferPointer(start: start, count: Int(length) - 1), as: UTF8.self)
    }
  }

  private static func text(at address: UInt) -> UnsafeRawBufferPointer {
    guard let start = UnsafePointer<CChar>(bitPattern: address) else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    var length = 0
    while start[length] != 0 { length += 1 }
    return UnsafeRawBufferPointer(start: start, count: length)
  }
}
