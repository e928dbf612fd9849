// SPDX-License-Identifier: Apache-2.0

/// Processes: a shell starts a program, or a script, which ends after a while.
struct ProcessLoad: LoadPart {
  static let name = "process"
  static let share = 10

  private let processes: Processes
  private let shell: ModelProcess
  /// Children that live, oldest first.
  private var children: [ModelProcess] = []

  /// How many children a thread keeps.
  static let most = 4
  private static let program = "/bin/load"
  private static let script = "/bin/load.sh"

  init?(on model: KernelModel, thread: Int) {
    processes = model.processes
    shell = model.processes.adopt(LoadProcess.shell(thread: thread))
    do throws(DarwinErrno) {
      // Every thread brings the same files.
      try model.files.place(
        TreeEntry(
          type: .regular, mode: 0o755, user: 0, group: 0,
          contents: ImageDescription(signing: 0).bytes), at: Self.program)
      try model.files.place(
        TreeEntry(
          type: .regular, mode: 0o755, user: 0, group: 0,
          contents: Array("#!\(Self.program) -e\n".utf8)), at: Self.script)
    } catch {
      return nil
    }
  }

  mutating func perform(_ random: inout LoadRandom) -> Bool {
    do throws(DarwinErrno) {
      if children.count >= Self.most || (!children.isEmpty && random.below(3) == 0) {
        try end(children.removeFirst(), status: Int32(random.below(2)))
        return true
      }
      let path = random.below(4) == 0 ? Self.script : Self.program
      let arguments = [path, "-n", "\(random.below(1000))"]
      if random.below(2) == 0 {
        children.append(try processes.spawn(path, arguments, as: shell))
      } else {
        let child = try processes.fork(shell)
        children.append(child)
        try processes.execute(path, arguments, as: child)
      }
      return true
    } catch {
      return false
    }
  }

  private func end(_ child: ModelProcess, status: Int32) throws(DarwinErrno) {
    // Somebody may have denied its exec when it was too late.
    if child.isAlive { try processes.exit(child, status: status) }
    _ = try processes.wait(for: child.pid, by: shell)
  }
}
