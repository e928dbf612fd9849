// SPDX-License-Identifier: Apache-2.0

internal import KemonText

/// Reads a session: checks its shape against the tables, then its parts against each other.
struct SessionReader {
  private let root: SessionValue

  init(_ text: SessionText) throws(SessionError) {
    root = try text.root()
    try SessionDocument.type.check(root, names: nil)
  }

  /// The session.
  ///
  /// - Throws: the first rule that is broken, with its place.
  func session() throws(SessionError) -> Session {
    let members = root.members
    let processes = try processes(members)
    let kexts = try KextList(members["kexts"]).kexts
    let actors = try actors(processes, members["steps"])
    let names = SessionNames(processes: actors.names, kexts: kexts.map(\.id))
    try SessionDocument.type.check(root, names: names)
    var steps: [Session.Step] = []
    for section in SessionSections.all {
      for value in members[section.name]?.elements ?? [] {
        steps.append(try step(section.step, value, actors))
      }
    }
    steps += try loads(members, kexts, actors)
    for value in members["steps"]?.elements ?? [] { steps.append(try step(value, actors)) }
    return Session(
      name: members.required("name").string, about: members["about"]?.string ?? "",
      release: members["release"].flatMap { KernelRelease.named($0.string) } ?? .macOS10_13_6,
      machine: SessionDocument.machine(members["machine"]), process: processes[0],
      processes: processes, kexts: kexts, steps: steps)
  }

  // MARK: Processes

  /// Who acts when a step names nobody, and all processes by their names.
  private struct Actors {
    let first: Session.Process
    private var named: [String: Session.Process]

    init(_ processes: [Session.Process]) {
      first = processes[0]
      named = Dictionary(processes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    var names: [String] { named.keys.sorted() }

    /// Adds a process that a step makes: until it does something else it is as its parent.
    mutating func add(_ name: SessionValue, pid: Int32, of parent: Session.Process)
      throws(SessionError)
    {
      guard named[name.string] == nil else {
        throw name.error("\"\(name.string)\" is there twice; give one of them another name")
      }
      named[name.string] = Session.Process(
        name: name.string, pid: pid, ppid: parent.pid, uid: parent.uid, gid: parent.gid,
        comm: parent.comm, parent: parent.comm, exe: parent.exe)
    }

    func actor(of value: SessionValue) -> Session.Process {
      guard case .object = value.node.content else { return first }
      return value.members[SessionSteps.actor].flatMap { named[$0.string] } ?? first
    }
  }

  private func processes(_ members: SessionMembers) throws(SessionError) -> [Session.Process] {
    var processes: [Session.Process] = []
    if let process = members["process"] { processes.append(SessionDocument.process(process)) }
    for value in members["processes"]?.elements ?? [] {
      let process = SessionDocument.process(value)
      guard !processes.contains(where: { $0.name == process.name }) else {
        throw value.error("\"\(process.name)\" is there twice; give one of them another \"name\"")
      }
      guard !processes.contains(where: { $0.pid == process.pid }) else {
        throw value.error("process \(process.pid) is there twice; needed is another \"pid\"")
      }
      processes.append(process)
    }
    guard !processes.isEmpty else {
      throw root.error("\"process\" is missing: the process that acts")
    }
    return processes
  }

  /// All who can act: the processes that are there, and those that steps make.
  private func actors(
    _ processes: [Session.Process], _ steps: SessionValue?
  ) throws(SessionError) -> Actors {
    var actors = Actors(processes)
    for value in steps?.elements ?? [] {
      guard let member = value.members.all.first,
        let child = SessionSteps.named(member.name)?.child, case .object = member.value.node.content
      else { continue }
      let made = member.value.members
      try actors.add(
        made.required(child.name), pid: made.required(child.pid).integer(),
        of: actors.actor(of: member.value))
    }
    return actors
  }

  // MARK: Steps

  /// The member `load`: kexts that are asked for before all other steps; all of them when nothing else is said.
  private func loads(
    _ members: SessionMembers, _ kexts: [Session.Kext], _ actors: Actors
  ) throws(SessionError) -> [Session.Step] {
    if let load = members["load"] {
      var steps: [Session.Step] = []
      for value in load.elements { steps.append(try step(LoadStep.self, value, actors)) }
      return steps
    }
    guard members["steps"] == nil, let list = members["kexts"] else { return [] }
    return kexts.map { kext in
      Session.Step(
        name: LoadStep.name, text: "\(LoadStep.name) \(kext.id)", process: actors.first,
        line: list.line, action: LoadStep(kext: kext.id))
    }
  }

  private func step(_ value: SessionValue, _ actors: Actors) throws(SessionError) -> Session.Step {
    guard let member = value.members.all.first, let type = SessionSteps.named(member.name) else {
      preconditionFailure("\(value.path) was not checked to be a step")
    }
    return try step(type, member.value, actors)
  }

  private func step(
    _ type: any SessionStep.Type, _ value: SessionValue, _ actors: Actors
  ) throws(SessionError) -> Session.Step {
    let members: SessionMembers
    if case .object = value.node.content {
      members = value.members
    } else {
      members = SessionMembers(type.mainField ?? "", value)
    }
    let subject = members.all.filter { $0.name != SessionSteps.actor }.map { name, value in
      let text = value.stringIfAny ?? value.node.value.text
      return name == type.mainField ? text : "\(name)=\(text)"
    }
    return Session.Step(
      name: type.name, text: ([type.name] + subject).joined(separator: " "),
      process: actors.actor(of: value),
      line: value.line, action: try type.init(members))
  }
}
