// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@testable import KemonKernel

/// Tracing, and the row "Anti-debug" of the feature table with it.
@Suite struct TraceTests {
  @Test func `a trace is told before and after, and the process is traced`() throws {
    let machine = try ProcessMachine()
    let other = machine.processes.adopt(process(77, "victim", uid: 501))
    try machine.processes.trace(other, by: machine.bash)
    #expect(other.tracer == 501)
    let seen = machine.seen()
    #expect(seen.map(\.description) == ["pre process.trace victim", "post process.trace victim"])
    #expect(seen.allSatisfy { $0.pid == 501 && $0.other == 77 })
    // One tracer at a time, and it ends with it.
    #expect(throws: DarwinErrno.EBUSY) {
      try machine.processes.trace(other, by: machine.launchd)
    }
    try machine.processes.exit(machine.bash, status: 0)
    try machine.processes.trace(other, by: machine.launchd)
  }

  @Test func `the kernel's own answer: not oneself, not another user's, not who refuses`() throws {
    let machine = try ProcessMachine()
    for (target, tracer, error) in [
      (machine.bash, machine.bash, .EINVAL), (machine.bash, machine.mallory, .EPERM),
    ] as [(ModelProcess, ModelProcess, DarwinErrno)] {
      #expect(throws: error) { try machine.processes.trace(target, by: tracer) }
    }
    machine.mallory.refuseTracers()
    #expect(throws: DarwinErrno.EBUSY) {
      try machine.processes.trace(machine.mallory, by: machine.launchd)
    }
    #expect(machine.bash.tracer == nil && machine.mallory.tracer == nil)
  }

  @Test func `a denied trace has not happened, by ptrace or by the task port`() throws {
    let machine = try ProcessMachine(ProcessPlugin(denied: ["process.trace bash": 13]))
    #expect(throws: DarwinErrno.EACCES) {
      try machine.processes.trace(machine.bash, by: machine.launchd)
    }
    #expect(machine.bash.tracer == nil)
    #expect(!machine.processes.taskPort(of: machine.bash, for: machine.launchd))
    #expect(machine.processes.taskPort(of: machine.mallory, for: machine.launchd))
    #expect(!machine.processes.taskPort(of: machine.mallory, for: machine.bash), "another user's")
    #expect(machine.seen().map(\.result) == [0, 13, 0, 13, 0, 0, 0, 1])
  }

  @Test func `another result of a trace is what the tracer sees`() throws {
    let machine = try ProcessMachine(ProcessPlugin(replaced: ["process.trace bash": 3]))
    #expect(throws: DarwinErrno.ESRCH) {
      try machine.processes.trace(machine.bash, by: machine.launchd)
    }
    #expect(!machine.processes.taskPort(of: machine.bash, for: machine.launchd))
  }

  @Test func `Anti-debug: while Kemon listens to the scope nobody traces`() throws {
    let machine = try ProcessMachine(hooked: false)
    let monitor = KauthMonitor(machine.files.kauth, records: machine.records)
    try monitor.configure("add com.apple.kauth.process")
    #expect(throws: DarwinErrno.EPERM) {
      try machine.processes.trace(machine.bash, by: machine.launchd)
    }
    #expect(machine.bash.tracer == nil)
    #expect(
      machine.seen().map(\.path) == [
        "[Kemon.kext] : action=KAUTH_PROCESS_CANTRACE, uid=0, debugger(pid 1)=launchd, "
          + "parent(ppid 0)=kernel_task, debuggee(pid 501)=bash."
      ])
    try monitor.configure("remove")
    try machine.processes.trace(machine.bash, by: machine.launchd)
  }
}
