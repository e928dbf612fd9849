// SPDX-License-Identifier: Apache-2.0

/// A kind of thing that can happen in a session, and one that does.
///
/// A step is an object with one member: `{"load": {"kext": "com.example.driver", "as": "kextd"}}`. A family adds its
/// steps by types of its own and a row each in ``SessionSteps``; the reader, its messages and the published schema
/// follow from ``fields``.
protocol SessionStep: Sendable {
  /// The member that names the step.
  static var name: String { get }
  /// What happens, in a sentence.
  static var about: String { get }
  /// The members of its object; `as`, who does it, is added to all.
  static var fields: [SessionField] { get }
  /// The field whose value may stand for the whole object; nil for none.
  static var mainField: String? { get }
  /// The fields with the name and the number of a process that the step makes, for later steps; nil for none.
  static var child: (name: String, pid: String)? { get }

  /// Takes a step from its members, which were checked against the fields.
  ///
  /// - Throws: what is wrong beyond the types, with its place: `members.required("path").error("…")`.
  init(_ members: SessionMembers) throws(SessionError)

  /// Lets it happen, on the calling thread, whose ``Lane`` has the process that acts.
  func perform(in context: StepContext) -> StepOutcome
}

extension SessionStep {
  static var mainField: String? { nil }
  static var child: (name: String, pid: String)? { nil }
}
