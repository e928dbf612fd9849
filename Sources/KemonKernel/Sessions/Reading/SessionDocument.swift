// SPDX-License-Identifier: Apache-2.0

/// The members of a session's text.
enum SessionDocument {
  /// The whole of it.
  static var type: SessionType {
    let sections = SessionSections.all.map { section in
      SessionField.optional(section.name, .list(SessionSteps.type(of: section.step)), section.about)
    }
    return .object(
      [
        .optional("$schema", .text, "where the schema of sessions is, for editors"),
        .required("name", .shortText(1...63), "for people and for the recording"),
        .optional("about", .text, "what the session shows, in a sentence"),
        .optional(
          "release", .choice(KernelRelease.all.map(\.name)), "the kernel, 10.13.6 by default"),
        .optional("machine", .object(machineFields), "what the machine allows"),
        .optional("process", .object(processFields), "who acts where no other process is named"),
        .optional(
          "processes", .list(.object(processFields)),
          "more processes, for the member \"as\" of steps; the first acts when there is no \"process\""
        ),
        .optional("kexts", .list(.object(KextList.fields)), "the kexts that can be loaded"),
      ] + sections + [
        .optional(
          "load", .list(SessionSteps.type(of: LoadStep.self)),
          "kexts that are asked for before other steps; all of them when there are no steps either"
        ),
        .optional("steps", .list(.oneOf(SessionSteps.fields)), "what happens, in order"),
      ])
  }

  // MARK: The machine

  private static let machineFields: [SessionField] = [
    .optional("safe_boot", .flag, "true when it was started in safe mode"),
    .optional("load_kexts", .flag, "false when the kernel loads no kexts"),
    .optional("unload_kexts", .flag, "false when the kernel unloads no kexts"),
  ]

  static func machine(_ value: SessionValue?) -> Session.Machine {
    let members = value?.members
    return Session.Machine(
      isSafeBoot: members?["safe_boot"]?.flag ?? false,
      canLoadKexts: members?["load_kexts"]?.flag ?? true,
      canUnloadKexts: members?["unload_kexts"]?.flag ?? true)
  }

  // MARK: Processes

  private static let processFields: [SessionField] = [
    .optional("name", .shortText(1...63), "what steps call it, comm by default"),
    .required("pid", .integer(Int32.self), "its number"),
    .optional("ppid", .integer(Int32.self), "its parent's number, 1 by default"),
    .required("uid", .integer(UInt32.self), "its user"),
    .optional("gid", .integer(UInt32.self), "its group, 0 by default"),
    .required("comm", .shortText(1...255), "its short name"),
    .optional("parent", .text, "the short name of its parent"),
    .optional("exe", .path, "the path of its image"),
  ]

  static func process(_ value: SessionValue) -> Session.Process {
    let members = value.members
    let comm = members.required("comm").string
    return Session.Process(
      name: members["name"]?.string ?? comm, pid: members.required("pid").integer(),
      ppid: members["ppid"]?.integer() ?? 1, uid: members.required("uid").integer(),
      gid: members["gid"]?.integer() ?? 0, comm: comm, parent: members["parent"]?.string,
      exe: members["exe"]?.string)
  }
}
