// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Synchronization
import Testing

@testable import KemonKernel

/// Processes that a thread ends while another one is in the kernel on their behalf.
@Suite struct ProcessEndTests {
  @Test func `a process that ends during its exec does so once, on its way out`() throws {
    let gate = ProcessPlugin.Gate(at: "pre process.exec /bin/ls ls")
    let machine = try ProcessMachine(ProcessPlugin(gate: gate))
    let processes = machine.processes
    let child = try processes.fork(machine.bash, pid: 700)
    _ = machine.seen()
    gate.whileWaiting {
      #expect(throws: Never.self) { try processes.execute("/bin/ls", ["ls"], as: child) }
    } _: {
      #expect(throws: Never.self) { try processes.kill(child, signal: 15, by: machine.bash) }
      #expect(!child.isAlive && child.end == nil, "it is in the kernel")
      #expect(throws: DarwinErrno.ESRCH) { try processes.kill(child, by: machine.bash) }
      #expect(throws: DarwinErrno.ESRCH) { try processes.fork(child) }
    }
    #expect(child.end?.text == "signal 15")
    #expect(machine.seen().map(\.kind).suffix(2) == ["process.exec", "process.exit"])
    #expect(machine.seen().isEmpty)
    #expect(try processes.wait(by: machine.bash)?.pid == 700)
  }

  @Test func `a child that is ended before its parent knows of it stays until it does`() throws {
    let gate = ProcessPlugin.Gate(at: "post process.fork bash")
    let machine = try ProcessMachine(ProcessPlugin(gate: gate))
    let (processes, bash) = (machine.processes, machine.bash)
    let made = Mutex<ModelProcess?>(nil)
    try gate.whileWaiting {
      let child = try? processes.fork(bash, pid: 700)
      made.withLock { $0 = child }
    } _: {
      try processes.kill(try #require(processes.find(700)), signal: 15, by: bash)
      try processes.kill(bash, by: machine.launchd)
      #expect(processes.find(700)?.end == nil && processes.find(501)?.end == nil)
    }
    let child = try #require(made.withLock { $0 })
    #expect(child.end?.text == "signal 15" && bash.end?.text == "signal 9")
    #expect(processes.find(700) == nil, "its parent was about to end")
    let ends = machine.seen().filter { $0.kind == "process.exit" }
    #expect(ends.map(\.pid) == [700, 501])
  }

  @Test func `a process that ends while it opens a file has none open`() throws {
    let gate = ProcessPlugin.Gate(at: "pre file.open")
    let machine = try ProcessMachine(ProcessPlugin(gate: gate))
    let monitor = FilesMonitor(machine.files, records: machine.records)
    try monitor.attach()
    let (files, bash) = (machine.files, machine.bash)
    try gate.whileWaiting {
      #expect(throws: DarwinErrno.ESRCH) { try files.open("/bin/ls", .read, as: bash.context) }
    } _: {
      try machine.processes.kill(bash, by: machine.launchd)
      #expect(bash.end?.text == "signal 9")
    }
    #expect(bash.context.openFiles == 0)
    #expect(throws: DarwinErrno.ESRCH) { try files.open("/bin/ls", .read, as: bash.context) }
    try monitor.detach()
  }

  @Test func `what an ended process was refused is given back to nobody`() throws {
    let gate = ProcessPlugin.Gate(at: "pre file.open")
    let machine = try ProcessMachine(ProcessPlugin(denied: ["file.open": 13], gate: gate))
    let monitor = FilesMonitor(machine.files, records: machine.records)
    try monitor.attach()
    let (files, bash) = (machine.files, machine.bash)
    try gate.whileWaiting {
      #expect(throws: DarwinErrno.EACCES) { try files.open("/bin/ls", .read, as: bash.context) }
    } _: {
      try machine.processes.kill(bash, by: machine.launchd)
    }
    #expect(bash.context.openFiles == 0)
    try monitor.detach()
  }
}
