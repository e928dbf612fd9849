// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonKernel

/// The row "Anti-debug" of the feature table: `add com.apple.kauth.process`, and nobody is traced.
@Suite struct AntiDebugTests {
  @Test func `who is configured so refuses every trace`() throws {
    let machine = try FilesMachine(hooked: false)
    let other = machine.files.context(for: process(77, "victim", uid: 501))
    // Without it owners and the superuser may.
    try machine.kauth.checkTrace(of: other, by: machine.bash)
    try machine.kauth.checkTrace(of: other, by: machine.launchd)
    #expect(throws: DarwinErrno.EPERM) {
      try machine.kauth.checkTrace(of: other, by: machine.mallory)
    }
    let monitor = KauthMonitor(machine.kauth, records: machine.records)
    try monitor.configure("add com.apple.kauth.process")
    _ = machine.seen()
    for tracer in [machine.bash, machine.launchd, machine.mallory] {
      #expect(throws: DarwinErrno.EPERM) { try machine.kauth.checkTrace(of: other, by: tracer) }
    }
    #expect(
      machine.seen().first?.path
        == "[Kemon.kext] : action=KAUTH_PROCESS_CANTRACE, uid=501, debugger(pid 501)=bash, "
        + "parent(ppid 1)=launchd, debuggee(pid 77)=victim.")
    try monitor.configure("remove")
    try machine.kauth.checkTrace(of: other, by: machine.bash)
  }

  @Test func `a listener may suggest the errno`() throws {
    let machine = try FilesMachine(hooked: false)
    let listener = try #require(
      machine.kauth.listen(to: KauthScope.process.rawValue) { request in
        request.suggest(.EBUSY)
        return .deny
      })
    #expect(throws: DarwinErrno.EBUSY) {
      try machine.kauth.checkTrace(of: machine.bash, by: machine.launchd)
    }
    machine.kauth.unlisten(listener)
  }
}
