// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// A scope that every kernel has.
public enum KauthScope: String, Sendable, CaseIterable {
  /// Being the superuser.
  case generic = "com.apple.kauth.generic"
  /// Signalling and tracing processes.
  case process = "com.apple.kauth.process"
  /// Rights to files and directories.
  case vnode = "com.apple.kauth.vnode"
  /// What has been done to files: a listener is told, and can refuse nothing.
  case fileOperation = "com.apple.kauth.fileop"
}

/// An action of the scope ``KauthScope/fileOperation``.
public enum FileOperationAction: UInt32, Sendable, CaseIterable {
  /// A file was opened.
  case open = 1
  /// A descriptor was closed by its process.
  case close = 2
  /// A file has another name.
  case rename = 3
  /// Two files have each other's data.
  case exchange = 4
  /// A file has one more name.
  case link = 5
  /// A process executes a file.
  case execute = 6
  /// A name is gone.
  case delete = 7
  /// A file is going to have another name: since macOS 10.14.1.
  case willRename = 8

  /// The name of XNU's constant without `KAUTH_FILEOP_`.
  public var name: String {
    switch self {
    case .open: "OPEN"
    case .close: "CLOSE"
    case .rename: "RENAME"
    case .exchange: "EXCHANGE"
    case .link: "LINK"
    case .execute: "EXEC"
    case .delete: "DELETE"
    case .willRename: "WILL_RENAME"
    }
  }

  /// The actions that a kernel has.
  public static func known(to release: KernelRelease) -> [FileOperationAction] {
    allCases.filter { $0 != .willRename || release.hasWillRename }
  }
}

extension KernelRelease {
  /// Whether listeners are told of renames before they happen: since macOS 10.14.1.
  var hasWillRename: Bool { darwinMajor >= 18 }
}
