// SPDX-License-Identifier: Apache-2.0

/// A machine, and what happens on it.
public struct Session: Sendable {
  /// The name of the session.
  public let name: String
  /// What it shows, in a sentence; empty when it does not say.
  public let about: String
  /// The kernel that it needs.
  public let release: KernelRelease
  /// What the machine allows.
  public let machine: Machine
  /// The process that acts where no other is named.
  public let process: Process
  /// All processes that it names, the acting one first.
  public let processes: [Process]
  /// The kexts that can be loaded.
  public let kexts: [Kext]
  /// What happens, in order.
  ///
  /// The sections that say what is there come first.
  public let steps: [Step]

  /// The same session on another kernel.
  public func on(_ release: KernelRelease) -> Session {
    Session(
      name: name, about: about, release: release, machine: machine, process: process,
      processes: processes, kexts: kexts, steps: steps)
  }

  /// One thing that happens.
  public struct Step: Sendable {
    /// What it is, as in `load`.
    public let name: String
    /// The name and what it is about, as in `load com.mandiant.monitor`.
    public let text: String
    /// Who does it.
    public let process: Process
    /// The line of the session's text where it stands, from 1.
    public let line: Int
    let action: any SessionStep
  }

  /// A process of the model: who it is at one time.
  public struct Process: Sendable, Equatable {
    /// What steps call it: its short name where it has no other.
    public let name: String
    /// Its number.
    public let pid: Int32
    /// The number of its parent.
    public internal(set) var ppid: Int32
    /// Its user.
    public internal(set) var uid: UInt32
    /// Its group.
    public internal(set) var gid: UInt32
    /// Its short name.
    public internal(set) var comm: String
    /// The short name of its parent.
    public internal(set) var parent: String?
    /// The path of its image.
    public internal(set) var exe: String?
    /// When it started, nanoseconds since 1970; 0 while it is none of a kernel's processes.
    public internal(set) var startNanoseconds: UInt64 = 0
  }

  /// What a machine allows.
  public struct Machine: Sendable, Equatable {
    /// Whether it was started in safe mode.
    public var isSafeBoot = false
    /// Whether the kernel loads and starts kexts.
    public var canLoadKexts = true
    /// Whether the kernel unloads kexts.
    public var canUnloadKexts = true
  }
}
