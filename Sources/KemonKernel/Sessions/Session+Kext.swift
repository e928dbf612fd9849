// SPDX-License-Identifier: Apache-2.0

extension Session {
  /// A kext that can be loaded.
  public struct Kext: Sendable, Equatable {
    /// The bundle identifier.
    public let id: String
    /// The version of the bundle.
    public let version: KextVersion
    /// The path of the bundle.
    public let path: String
    /// Where it is linked to.
    public let base: UInt64
    /// Bytes of the linked kext.
    public let size: UInt64
    /// Where its start routine is said to be; the kernel calls nothing outside of the kext.
    public let start: UInt64
    /// What its start routine returns.
    public let status: Int32
    /// What its C++ constructors come to.
    public let constructorStatus: Int32
    /// What its stop routine returns.
    public let stopStatus: Int32
    /// Whether it has code of its own; a kext without it is never loaded, and can only be asked for.
    public let isExecutable: Bool
    /// Whether it is on the kernel's exclude list.
    public let isExcluded: Bool
    /// Whether it may be loaded in a safe boot.
    public let isForSafeBoot: Bool
    /// Whether services of it run, which do not end, as long as it is started.
    public let hasServices: Bool
    /// Whether there are instances of its C++ classes as long as it is started.
    public let hasInstances: Bool
    /// What linking it comes to.
    public let link: Link
    /// The kexts that it needs.
    public let libraries: [Library]

    /// How many kexts may need each other in a row; kernels have far less than twenty.
    static let longestChain = 100
  }

  /// What linking a kext comes to.
  public enum Link: String, Sendable, CaseIterable {
    /// It is linked.
    case ok
    /// Who asked for it lacks the entitlement to link kexts.
    case entitlement
    /// Its executable is missing.
    case executable
    /// A symbol is nowhere.
    case symbols
  }

  /// A dependency of a kext: a row of OSBundleLibraries.
  public struct Library: Sendable, Equatable {
    /// The identifier of the kext that is needed.
    public let id: String
    /// The lowest version that will do.
    public let version: KextVersion

    /// Whether it is an interface of the kernel itself, which is always there.
    var isKernel: Bool { id.hasPrefix("com.apple.kpi.") || id.hasPrefix("com.apple.kernel") }
  }
}
