// SPDX-License-Identifier: Apache-2.0

/// A result of loading a kext: XNU's OSReturn.
public struct KextReturn: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number.
  public let rawValue: UInt32

  /// Makes a result from its number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// kOSReturnSuccess.
  public static let success = KextReturn(rawValue: 0)
  /// kOSReturnError: a MAC policy said no, or the kext is not known.
  public static let error = KextReturn(rawValue: 0xdc00_0001)
  /// kOSKextReturnInternalError: the kernel itself could not go on.
  public static let internalError = KextReturn(rawValue: 0xdc00_8001)
  /// kOSKextReturnNotPrivileged: who asked is not root, or not entitled.
  public static let notPrivileged = KextReturn(rawValue: 0xdc00_8004)
  /// kOSKextReturnInvalidArgument: the kext is not linked.
  public static let invalidArgument = KextReturn(rawValue: 0xdc00_8005)
  /// kOSKextReturnNotFound: there is no such kext.
  public static let notFound = KextReturn(rawValue: 0xdc00_8006)
  /// kOSKextReturnBadData: its start routine is not inside of it.
  public static let badData = KextReturn(rawValue: 0xdc00_8007)
  /// kOSKextReturnDisabled: the kernel loads or unloads no kexts.
  public static let disabled = KextReturn(rawValue: 0xdc00_800a)
  /// kOSKextReturnValidation: its executable is missing.
  public static let validation = KextReturn(rawValue: 0xdc00_800c)
  /// kOSKextReturnDependencies: a kext that it needs is not there, or too old.
  public static let dependencies = KextReturn(rawValue: 0xdc00_800e)
  /// kOSKextReturnDeferred: user space is asked for the kext first.
  public static let deferred = KextReturn(rawValue: 0xdc00_8011)
  /// kOSKextReturnBootLevel: it is not for a safe boot.
  public static let bootLevel = KextReturn(rawValue: 0xdc00_8012)
  /// kOSKextReturnNotLoadable: it is on the exclude list.
  public static let notLoadable = KextReturn(rawValue: 0xdc00_8013)
  /// kOSKextReturnDependencyLoadError: a kext that it needs did not load.
  public static let dependencyLoadError = KextReturn(rawValue: 0xdc00_8015)
  /// kOSKextReturnLinkError: a symbol that it needs is nowhere.
  public static let linkError = KextReturn(rawValue: 0xdc00_8016)
  /// kOSKextReturnStartStopError: it did not start, or did not stop.
  public static let startStopError = KextReturn(rawValue: 0xdc00_8017)
  /// kOSKextReturnInUse: others need it, or its services run.
  public static let inUse = KextReturn(rawValue: 0xdc00_8018)

  /// KERN_FAILURE, what a denied routine is taken to have returned.
  static let kernFailure: Int32 = 5

  /// The number as the kernel logs it.
  public var description: String { "0x" + String(rawValue, radix: 16) }

  /// The words of user space for it.
  var words: String {
    switch self {
    case .success: "(libkern/kext) no error"
    case .internalError: "(libkern/kext) internal error"
    case .notPrivileged: "(libkern/kext) not privileged"
    case .invalidArgument: "(libkern/kext) invalid argument"
    case .notFound: "(libkern/kext) not found"
    case .badData: "(libkern/kext) bad data"
    case .disabled: "(libkern/kext) operation disabled"
    case .validation: "(libkern/kext) validation failure (plist/executable)"
    case .dependencies: "(libkern/kext) dependency resolution failure"
    case .deferred: "(libkern/kext) deferred for user-space processing"
    case .bootLevel: "(libkern/kext) not loadable at this boot level"
    case .notLoadable: "(libkern/kext) not loadable (reason unspecified)"
    case .dependencyLoadError: "(libkern/kext) dependency load failed"
    case .linkError: "(libkern/kext) link error"
    case .startStopError: "(libkern/kext) kext (kmod) start/stop routine failed"
    case .inUse: "(libkern/kext) kext in use or retained (cannot unload)"
    default: "(libkern/kext) error \(self)"
    }
  }
}
