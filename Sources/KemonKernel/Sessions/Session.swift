// SPDX-License-Identifier: Apache-2.0

/// What happens in the kernel model: which kexts are there, and which are loaded in which order, by whom.
public struct Session: Sendable {
  /// The name of the session.
  public let name: String
  /// The kernel that it needs.
  public let release: KernelRelease
  /// The process that asks the kernel to load kexts.
  public let process: Process
  /// The kexts that can be loaded.
  public let kexts: [Kext]
  /// Identifiers of the kexts that are asked for, in order.
  ///
  /// Their dependencies are loaded before them.
  public let load: [String]

  /// The same session on another kernel.
  public func on(_ release: KernelRelease) -> Session {
    Session(name: name, release: release, process: process, kexts: kexts, load: load)
  }

  /// A process of the model.
  public struct Process: Sendable, Equatable {
    /// Its number.
    public let pid: Int32
    /// The number of its parent.
    public let ppid: Int32
    /// Its user.
    public let uid: UInt32
    /// Its group.
    public let gid: UInt32
    /// Its short name.
    public let comm: String
    /// The short name of its parent.
    public let parent: String?
    /// The path of its image.
    public let exe: String?
  }

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
    /// What its start routine returns.
    public let status: Int32
    /// Whether it has code of its own; a kext without it is loaded but never started.
    public let isExecutable: Bool
    /// The kexts that it needs.
    public let libraries: [Library]
  }

  /// A dependency of a kext: a row of OSBundleLibraries.
  public struct Library: Sendable, Equatable {
    /// The identifier of the kext that is needed.
    public let id: String
    /// The lowest version that will do.
    public let version: KextVersion
  }

  /// The session of the talk: kextd loads com.mandiant.monitor 0.9.2.
  public static let mandiantMonitor: Session = {
    do {
      return try Session(
        json: PackageResources.mandiant_monitor_json, file: "mandiant-monitor.json")
    } catch {
      preconditionFailure("the embedded session is broken: \(error)")
    }
  }()
}
