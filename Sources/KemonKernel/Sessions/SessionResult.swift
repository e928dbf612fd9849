// SPDX-License-Identifier: Apache-2.0

/// What a session came to.
public struct SessionResult: Sendable {
  /// Every step that happened, in order.
  public let steps: [StepResult]
  /// Every kext that was asked for or needed, in the order of the session.
  public let kexts: [KextOutcome]

  /// What became of a kext; nil when it was neither asked for nor needed.
  public subscript(_ id: String) -> KextOutcome? { kexts.first { $0.id == id } }
}

/// A step of a session and what it came to.
public struct StepResult: Sendable {
  /// The step.
  public let step: Session.Step
  /// What it came to.
  public let outcome: StepOutcome
}

/// What became of a kext.
public struct KextOutcome: Sendable, Equatable {
  /// The bundle identifier.
  public let id: String
  /// What the last attempt to load it came to.
  public let result: KextReturn
  /// What the kernel took as the status of the start routine; nil when it did not come so far.
  public let startStatus: Int32?
  /// How often the parts of its code ran.
  public let runs: Runs

  /// How often its start routine ran: 0 when its start was denied.
  public var bodyRuns: Int { runs.start }

  /// Whether it is loaded, and started if it has code.
  public var isLoaded: Bool { result == .success }

  /// How often the parts of a kext's code ran.
  public struct Runs: Sendable, Equatable {
    /// Its C++ constructors, which run before the start routine.
    public let constructors: Int
    /// Its start routine.
    public let start: Int
    /// Its stop routine.
    public let stop: Int
    /// Its C++ destructors, after a start that failed and a stop that did not.
    public let destructors: Int
  }
}
