// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

@testable import KemonKernel

@Suite struct ProcessTableTests {
  @Test func `a fork is told before and after, and the child is as its parent`() throws {
    let machine = try ProcessMachine()
    let file = try machine.files.open("/bin/ls", .read, as: machine.bash.context)
    _ = try machine.files.read(4, from: file, as: machine.bash.context)
    let child = try machine.processes.fork(machine.bash)
    let seen = machine.seen()
    #expect(seen.map(\.description) == ["pre process.fork", "post process.fork bash"])
    #expect(seen.map(\.other) == [0, child.pid])
    #expect(seen[0].corr == seen[1].corr && seen[0].corr != 0)
    #expect(seen.allSatisfy { $0.pid == 501 })
    #expect(child.identity.ppid == 501 && child.identity.parent == "bash")
    #expect(child.context.credential === machine.bash.context.credential)
    #expect(child.identity.startNanoseconds > machine.bash.identity.startNanoseconds)
    // One open file, with one offset, in both.
    #expect(child.context.openFiles == 1)
    let header = try machine.files.read(4, from: file, as: child.context)
    #expect(header == [7, 0, 0, 1], "behind what the parent has read")
    try machine.files.close(file, as: child.context)
    #expect(machine.bash.context.openFiles == 1)
  }

  @Test func `a denied fork has made no child`() throws {
    let machine = try ProcessMachine(ProcessPlugin(denied: ["process.fork": 11]))
    let before = machine.table
    #expect(throws: DarwinErrno.EAGAIN) { try machine.processes.fork(machine.bash) }
    #expect(throws: DarwinErrno.EAGAIN) {
      try machine.processes.spawn("/bin/ls", [], as: machine.bash)
    }
    #expect(machine.table == before)
    #expect(machine.seen().map(\.result) == [0, 11, 0, 11])
  }

  @Test func `another result of a fork is what the parent sees`() throws {
    let machine = try ProcessMachine(ProcessPlugin(replaced: ["process.fork bash": 12]))
    let before = machine.table
    #expect(throws: DarwinErrno.ENOMEM) { try machine.processes.fork(machine.bash) }
    #expect(machine.table == before, "a child that nobody knows of does not stay")
  }

  @Test func `limits: forks fail with EAGAIN, the last place is the superuser's`() throws {
    let machine = try ProcessMachine()
    machine.processes.limits = .init(all: 6, perUser: 2)
    _ = try machine.processes.fork(machine.bash)
    #expect(throws: DarwinErrno.EAGAIN) { try machine.processes.fork(machine.bash) }
    _ = try machine.processes.fork(machine.mallory)
    #expect(throws: DarwinErrno.EAGAIN) { try machine.processes.fork(machine.mallory) }
    _ = try machine.processes.fork(machine.launchd)
    #expect(throws: DarwinErrno.EAGAIN) { try machine.processes.fork(machine.launchd) }
    #expect(machine.processes.all.count == 6)
    #expect(machine.seen().last?.description == "post process.fork EAGAIN")
  }

  @Test func `a number is given out once, and again when it is free`() throws {
    let machine = try ProcessMachine()
    let child = try machine.processes.fork(machine.bash, pid: 700)
    #expect(throws: DarwinErrno.EAGAIN) { try machine.processes.fork(machine.bash, pid: 700) }
    let start = child.identity.startNanoseconds
    try machine.processes.exit(child, status: 0)
    _ = try machine.processes.wait(by: machine.bash)
    let other = try machine.processes.fork(machine.bash, pid: 700)
    #expect(other.identity.startNanoseconds > start, "number and start name one process")
  }

  @Test func `an exit closes files, is told once, and leaves a zombie to be waited for`() throws {
    let machine = try ProcessMachine()
    let child = try machine.processes.fork(machine.bash, pid: 700)
    _ = machine.seen()
    #expect(try machine.processes.wait(by: machine.bash) == nil, "it lives")
    try machine.processes.exit(child, status: 259)
    let seen = machine.seen()
    #expect(seen.map(\.description) == ["notify process.exit"])
    #expect(seen[0].pid == 700 && seen[0].parent == "bash" && seen[0].number == 3)
    #expect(child.context.openFiles == 0)
    #expect(machine.table.contains("700 501 bash (status 3)"))
    #expect(throws: DarwinErrno.ESRCH) { try machine.processes.exit(child, status: 0) }
    #expect(throws: DarwinErrno.ESRCH) { try machine.processes.fork(child) }
    #expect(throws: DarwinErrno.ESRCH) {
      try machine.processes.execute("/bin/ls", [], as: child)
    }
    let found = try #require(try machine.processes.wait(for: 700, by: machine.bash))
    #expect(found.pid == 700 && found.end.status == 3)
    #expect(throws: DarwinErrno.ECHILD) { try machine.processes.wait(by: machine.bash) }
    #expect(machine.seen() == [])
  }

  @Test func `children of who ends are launchd's, and its own name is followed`() throws {
    let machine = try ProcessMachine()
    let parent = try machine.processes.fork(machine.bash, pid: 700)
    let child = try machine.processes.fork(parent, pid: 701)
    let zombie = try machine.processes.fork(parent, pid: 702)
    try machine.processes.execute("/bin/sh", ["sh"], as: parent)
    #expect(child.identity.parent == "sh")
    try machine.processes.exit(zombie, status: 0)
    try machine.processes.exit(parent, status: 0)
    #expect(child.identity.ppid == 1 && child.identity.parent == "launchd")
    #expect(machine.processes.find(702) == nil, "nobody will wait for it")
    try machine.processes.exit(child, status: 0)
    #expect(machine.processes.find(701) == nil)
    #expect(machine.processes.children(of: machine.bash).map(\.pid) == [700])
  }

  @Test func `a signal ends processes of the same user`() throws {
    let machine = try ProcessMachine()
    let child = try machine.processes.fork(machine.bash, pid: 700)
    #expect(throws: DarwinErrno.EPERM) {
      try machine.processes.kill(child, by: machine.mallory)
    }
    try machine.processes.kill(child, signal: 15, by: machine.bash)
    #expect(child.end?.text == "signal 15")
    #expect(throws: DarwinErrno.ESRCH) { try machine.processes.kill(child, by: machine.bash) }
  }

  @Test func `many threads fork, execute and end at a time`() throws {
    let machine = try ProcessMachine()
    let processes = machine.processes
    let parents = (0..<4).map { number in
      processes.adopt(process(Int32(2000 + number), "worker\(number)", uid: 0))
    }
    let threads = parents.map { parent in
      WorkerThread(named: "worker \(parent.pid)") {
        for _ in 0..<50 {
          guard let child = try? processes.spawn("/bin/ls", ["ls"], as: parent) else { continue }
          try? processes.exit(child, status: 0)
          _ = try? processes.wait(for: child.pid, by: parent)
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(processes.all.map(\.pid) == [1, 501, 666, 2000, 2001, 2002, 2003])
    let seen = machine.seen()
    #expect(seen.count == 4 * 50 * 6)
    let spawned = seen.filter { $0.kind == "process.fork" && $0.phase == .post }.map(\.other)
    #expect(Set(spawned).count == spawned.count, "no number is given out twice")
  }
}
