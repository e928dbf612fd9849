// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@testable import KemonKernel

/// What others than Kemon's hook hear of an exec.
@Suite struct ExecListenerTests {
  @Test func `limitation 4: a listener has no command line, the hook has`() throws {
    let notes = Notes()
    let machine = try ProcessMachine(ProcessPlugin(denied: ["process.exec /bin/ls": 1]))
    _ = try #require(
      machine.files.kauth.listen(to: KauthScope.fileOperation.rawValue) { request in
        notes.add(request.text)
        return .deny
      })
    try machine.processes.execute("/tmp/script.sh", ["script.sh", "secret"], as: machine.bash)
    // Afterwards, by the interpreter's path, without arguments, and whatever it answers.
    #expect(notes.take() == ["KAUTH_FILEOP_EXEC /bin/sh"])
    #expect(machine.bash.identity.comm == "sh")
    #expect(machine.seen().first?.arguments == ["/bin/sh", "-x", "/tmp/script.sh", "secret"])
    #expect(throws: DarwinErrno.EPERM) {
      try machine.processes.execute("/bin/ls", ["ls"], as: machine.mallory)
    }
    #expect(notes.take() == [])
  }

  @Test func `the original's listener finds the arguments on the thread's stack`() throws {
    let machine = try ProcessMachine(hooked: false)
    let monitor = KauthMonitor(machine.files.kauth, records: machine.records)
    try monitor.configure("add com.apple.kauth.fileop /bin/l")
    try machine.processes.execute("/bin/ls", ["ls", "-l"], as: machine.bash)
    try machine.processes.execute("/bin/sh", ["sh"], as: machine.mallory)
    #expect(machine.seen().map(\.description) == ["post process.exec /bin/ls ls -l"])
    monitor.close()
  }

  /// Policies that note what they are asked, and refuse one operation.
  private func policies(
    _ notes: Notes, refusing refused: String? = nil, with error: Int32 = 1, true first: Bool = false
  ) -> ProcessPolicies {
    ProcessPolicies(
      mask: .max,
      ask: { operation, _ in
        let name = ProcessPolicies.names[operation]
        notes.add(name.replacing("mpo_", with: ""))
        if first, name == "mpo_cred_check_label_update_execve" { return 1 }
        return name == refused ? error : 0
      })
  }

  @Test func `policies are asked in the order of XNU`() throws {
    let notes = Notes()
    let machine = try ProcessMachine(policies: policies(notes, true: true))
    try machine.add(ImageDescription(signing: 0), at: "/bin/signed")
    try machine.add(ImageDescription(), at: "/usr/lib/dyld")
    let child = try machine.processes.spawn("/bin/signed", ["signed"], as: machine.launchd)
    #expect(
      notes.take() == [
        "proc_check_fork", "cred_label_associate_fork", "vnode_check_exec",
        "vnode_check_signature", "vnode_check_signature", "cred_check_label_update_execve",
        "cred_label_update_execve", "proc_notify_exec_complete",
      ])
    try machine.processes.trace(child, by: machine.launchd)
    _ = machine.processes.taskPort(of: child, for: machine.launchd)
    try machine.processes.exit(child, status: 0)
    #expect(notes.take() == ["proc_check_debug", "proc_check_get_task", "proc_notify_exit"])
  }

  @Test(arguments: [
    ("mpo_proc_check_fork", DarwinErrno.EPERM), ("mpo_vnode_check_exec", .EPERM),
    ("mpo_vnode_check_signature", .EBADEXEC), ("mpo_cred_label_update_execve", .EACCES),
  ])
  func `a policy that refuses leaves no child of a spawn`(
    _ operation: String, _ error: DarwinErrno
  ) throws {
    let machine = try ProcessMachine(
      policies: policies(Notes(), refusing: operation, true: true))
    try machine.add(ImageDescription(signing: 0), at: "/bin/signed")
    let before = machine.table
    #expect(throws: error) {
      try machine.processes.spawn("/bin/signed", ["signed"], as: machine.launchd)
    }
    #expect(machine.table == before)
  }

  @Test func `a policy at check_exec fails an exec, later ones kill the process`() throws {
    for (operation, end) in [
      ("mpo_vnode_check_exec", nil), ("mpo_cred_label_update_execve", ProcessEnd.securityPolicy),
      ("mpo_vnode_check_signature", .killed(by: 9, namespace: 9, reason: 1)),
    ] as [(String, ProcessEnd?)] {
      let machine = try ProcessMachine(
        policies: policies(Notes(), refusing: operation, true: true))
      try machine.add(ImageDescription(signing: 0), at: "/bin/signed")
      if end == nil {
        #expect(throws: DarwinErrno.EPERM) {
          try machine.processes.execute("/bin/signed", [], as: machine.bash)
        }
        #expect(machine.seen() == [], "Kemon's hook comes later")
      } else {
        try machine.processes.execute("/bin/signed", [], as: machine.bash)
        #expect(machine.seen().contains { $0.isLate && $0.kind == "process.exec" })
      }
      #expect(machine.bash.end == end)
    }
  }
}
