// SPDX-License-Identifier: Apache-2.0

/// A result of loading a kext: XNU's OSReturn.
public struct KextReturn: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number.
  public let rawValue: UInt32

  /// Makes a result from its number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// kOSReturnSuccess.
  public static let success = KextReturn(rawValue: 0)
  /// kOSKextReturnInternalError: the kernel itself could not go on.
  public static let internalError = KextReturn(rawValue: 0xdc00_8001)
  /// kOSKextReturnInvalidArgument: the kext is not linked.
  public static let invalidArgument = KextReturn(rawValue: 0xdc00_8005)
  /// kOSKextReturnNotFound: there is no such kext.
  public static let notFound = KextReturn(rawValue: 0xdc00_8006)
  /// kOSKextReturnDependencies: a kext that it needs is not there, or too old.
  public static let dependencies = KextReturn(rawValue: 0xdc00_800e)
  /// kOSKextReturnDependencyLoadError: a kext that it needs did not load.
  public static let dependencyLoadError = KextReturn(rawValue: 0xdc00_8015)
  /// kOSKextReturnStartStopError: its start routine did not return 0.
  public static let startStopError = KextReturn(rawValue: 0xdc00_8017)

  /// KERN_FAILURE, what a denied start routine is taken to have returned.
  static let kernFailure: Int32 = 5

  /// The number as the kernel logs it.
  public var description: String { "0x" + String(rawValue, radix: 16) }

  /// The words of user space for it.
  var words: String {
    switch self {
    case .success: "(libkern/kext) no error"
    case .internalError: "(libkern/kext) internal error"
    case .invalidArgument: "(libkern/kext) invalid argument"
    case .notFound: "(libkern/kext) not found"
    case .dependencies: "(libkern/kext) dependency resolution failure"
    case .dependencyLoadError: "(libkern/kext) dependency load failed"
    case .startStopError: "(libkern/kext) kext (kmod) start/stop routine failed"
    default: "(libkern/kext) error \(self)"
    }
  }
}
