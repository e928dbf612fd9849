// SPDX-License-Identifier: Apache-2.0

/// A list of a session that says what is there before anything happens: each element is a step of one kind.
struct SessionSection: Sendable {
  /// The member of the session.
  let name: String
  /// What is listed.
  let about: String
  /// What each element is.
  let step: any SessionStep.Type
}

/// The sections beside processes and kexts: one row each, in the order in which they are set up.
enum SessionSections {
  static let all: [SessionSection] = [
    SessionSection(
      name: "policies", about: "the MAC policies that the system boots with",
      step: BootPolicyStep.self),
    SessionSection(
      name: "files", about: "what is in the tree of files from the beginning", step: FileEntry.self),
    SessionSection(
      name: "images", about: "programs and libraries in the tree of files, from the beginning",
      step: ImageEntry.self),
    SessionSection(
      name: "interfaces", about: "the machine's network interfaces", step: InterfaceStep.self),
    SessionSection(
      name: "hosts", about: "remote hosts, and what they answer", step: HostStep.self),
  ]
}
