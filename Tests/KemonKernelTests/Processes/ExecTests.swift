// SPDX-License-Identifier: Apache-2.0

import CKernelImage
import KemonEvents
import KemonHooks
import Testing

@testable import KemonKernel

/// The row "Process + command line" of the feature table: path and joined argv, overflow, missing argv.
@Suite struct ExecTests {
  @Test func `Process + command line: an exec is told with its arguments, before and after`() throws
  {
    let machine = try ProcessMachine()
    try machine.processes.execute("/bin/ls", ["ls", "-l", "/tmp/my file"], as: machine.bash)
    let seen = machine.seen()
    #expect(
      seen.map(\.description) == [
        "pre process.exec /bin/ls ls -l /tmp/my file",
        "pre process.exec_commit /bin/ls ls -l /tmp/my file",
        "post process.exec /bin/ls ls -l /tmp/my file",
      ])
    #expect(Set(seen.map(\.corr)).count == 1 && seen[0].corr != 0)
    #expect(seen.map(\.comm) == ["bash", "bash", "ls"], "the process has another name by then")
    #expect(Set(seen.map(\.start)).count == 1 && seen[0].start != 0)
    #expect(seen[0].directory == "/" && seen[0].argc == 3)
    #expect(machine.bash.identity.exe == "/bin/ls")
    #expect(machine.bash.arguments == ["ls", "-l", "/tmp/my file"])
  }

  @Test func `a denied exec has changed nothing`() throws {
    let machine = try ProcessMachine(ProcessPlugin(denied: ["process.exec /bin/ls": 1]))
    let file = try machine.files.open("/bin/sh", [.read, .closeOnExec], as: machine.bash.context)
    let (before, identity) = (machine.table, machine.bash.identity)
    #expect(throws: DarwinErrno.EPERM) {
      try machine.processes.execute("/bin/ls", ["ls"], as: machine.bash)
    }
    #expect(machine.table == before)
    #expect(machine.bash.identity == identity)
    #expect(machine.bash.arguments == [])
    #expect(machine.bash.context.openFiles == 1, "not even what ends with an exec")
    try machine.files.close(file, as: machine.bash.context)
    #expect(
      machine.seen().map(\.description) == [
        "pre process.exec /bin/ls ls", "post process.exec /bin/ls ls EPERM",
      ])
  }

  @Test func `a denial behind the point of no return kills, and exec itself does not fail`() throws
  {
    let machine = try ProcessMachine(ProcessPlugin(denied: ["process.exec_commit": 1]))
    try machine.processes.execute("/bin/ls", ["ls"], as: machine.bash)
    #expect(machine.bash.end == .securityPolicy)
    #expect(machine.bash.end?.text == "signal 9, reason 9.8")
    let seen = machine.seen()
    #expect(
      seen.map(\.description) == [
        "pre process.exec /bin/ls ls", "pre process.exec_commit /bin/ls ls",
        "post process.exec /bin/ls ls EACCES late", "notify process.exit",
      ])
    #expect(seen[3].number == 9 && seen[3].other == 8)
  }

  @Test func `posix_spawn tells late errors, and the child is gone`() throws {
    let machine = try ProcessMachine(ProcessPlugin(denied: ["process.exec_commit": 1]))
    let before = machine.table
    #expect(throws: DarwinErrno.EACCES) {
      try machine.processes.spawn("/bin/ls", ["ls"], as: machine.launchd)
    }
    #expect(machine.table == before)
    #expect(
      machine.seen().map(\.description) == [
        "pre process.fork", "post process.fork launchd", "pre process.exec /bin/ls ls",
        "pre process.exec_commit /bin/ls ls", "post process.exec /bin/ls ls EACCES late",
        "notify process.exit",
      ])
  }

  @Test func `a spawn is told as its parent's doing, a denied one leaves no child`() throws {
    let machine = try ProcessMachine(ProcessPlugin(denied: ["process.exec /bin/ls": 13]))
    let child = try machine.processes.spawn(
      "/bin/sh", ["sh", "-c", "true"], as: machine.launchd, pid: 700)
    let seen = machine.seen()
    #expect(seen.allSatisfy { $0.pid == 1 && $0.comm == "launchd" && $0.parent == "kernel_task" })
    #expect(child.identity.comm == "sh" && child.identity.ppid == 1)
    let before = machine.table
    #expect(throws: DarwinErrno.EACCES) {
      try machine.processes.spawn("/bin/ls", ["ls"], as: machine.launchd, pid: 701)
    }
    #expect(machine.table == before)
    #expect(
      machine.seen().last?.description == "notify process.exit", "who saw a fork sees its end")
  }

  @Test func `a script is told by its own path, and runs its interpreter`() throws {
    let machine = try ProcessMachine()
    try machine.processes.execute("/tmp/script.sh", ["script.sh", "a", "b"], as: machine.bash)
    #expect(
      machine.seen().first?.description
        == "pre process.exec /tmp/script.sh /bin/sh -x /tmp/script.sh a b")
    #expect(machine.bash.arguments == ["/bin/sh", "-x", "/tmp/script.sh", "a", "b"])
    #expect(machine.bash.identity.comm == "sh" && machine.bash.identity.exe == "/bin/sh")
  }

  private static let firstLines: [(String, Int32)] = [
    ("#!/bin/sh\n", 0), ("#!  /bin/sh\t-e  # comment\n", 0), ("#!\n", 8), ("#! # \n", 8),
    ("#!/bin/sh", 8), ("#!" + String(repeating: "x", count: 600) + "\n", 8),
    ("#!/nowhere\n", 2), ("#!/tmp/script.sh\n", 8), ("echo no\n", 8), ("", 8), ("#", 8),
    ("#!/bin/sh\0x\n", 8),
  ]

  @Test(arguments: firstLines)
  func `the first line of a script is read as XNU does`(_ text: String, _ expected: Int32) throws {
    let machine = try ProcessMachine()
    try machine.add(text, at: "/tmp/tried")
    let identity = machine.bash.identity
    do throws(DarwinErrno) {
      try machine.processes.execute("/tmp/tried", ["tried"], as: machine.bash)
      #expect(expected == 0)
      #expect(machine.bash.arguments.prefix(1) == ["/bin/sh"])
    } catch {
      #expect(error.rawValue == expected)
      #expect(machine.bash.identity == identity)
      #expect(machine.seen() == [])
    }
  }

  @Test func `a script may be run by a fat interpreter: three rounds, and no more`() throws {
    let machine = try ProcessMachine()
    try machine.add(ImageDescription(isFat: true), at: "/bin/fat")
    try machine.add("#!/bin/fat\n", at: "/tmp/fat.sh")
    try machine.processes.execute("/tmp/fat.sh", [], as: machine.bash)
    #expect(machine.bash.arguments == ["/bin/fat", "/tmp/fat.sh"])
    // An activator of somebody else that never comes to an end.
    let hook = try KernelFunction.named("exec_shell_imgact").attach(
      handlers: .init(pre: { _, frame in
        let image = UnsafePointer<kernel_image_params>(bitPattern: UInt(frame.pointee.rdi))
        guard image?.pointee.ip_user_fnamelen == 13 else { return Int32(CKEMON_PROCEED) }
        frame.pointee.number = KERNEL_IMGACT_ENCAPSULATED
        return Int32(CKEMON_SKIP)
      }))
    defer { #expect(throws: Never.self) { try hook.detach() } }
    try machine.add("for ever", at: "/tmp/for-ever")
    #expect(throws: DarwinErrno.EBADEXEC) {
      try machine.processes.execute("/tmp/for-ever", [], as: machine.mallory)
    }
  }

  @Test func `missing argv: an exec without arguments is told without a command line`() throws {
    let machine = try ProcessMachine()
    try machine.processes.execute("/bin/ls", [], as: machine.bash)
    let pre = try #require(machine.seen().first)
    #expect(pre.arguments == [] && pre.argc == 0 && !pre.isCut)
    #expect(machine.bash.arguments == [])
  }

  @Test func `overflow: arguments that a record does not hold are cut and flagged`() throws {
    let machine = try ProcessMachine()
    let long = String(repeating: "x", count: 100_000)
    try machine.processes.execute("/bin/ls", ["ls", long], as: machine.bash)
    let seen = machine.seen()
    #expect(seen.allSatisfy(\.isCut) && seen.count == 3)
    #expect(machine.bash.arguments == ["ls", long])
    // What the kernel itself does not take never comes so far.
    let tooLong = Array(repeating: long, count: 3)
    #expect(throws: DarwinErrno.E2BIG) {
      try machine.processes.execute("/bin/ls", tooLong, as: machine.bash)
    }
    #expect(machine.seen() == [])
  }

  @Test func `what cannot be executed fails and changes nothing`() throws {
    let machine = try ProcessMachine()
    try machine.add(ImageDescription(), at: "/bin/private", mode: 0o700)
    try machine.add(ImageDescription(), at: "/bin/data", mode: 0o644)
    try machine.add(ImageDescription(kind: .library), at: "/bin/library")
    var foreign = ImageDescription().bytes
    foreign[4] = 0x0C
    try machine.files.place(
      TreeEntry(type: .regular, mode: 0o755, user: 0, group: 0, contents: foreign), at: "/bin/arm")
    let before = machine.table
    for (path, error) in [
      ("/bin/nothing", .ENOENT), ("/bin", .EACCES), ("/bin/private", .EACCES),
      ("/bin/data", .EACCES), ("/bin/library", .ENOEXEC), ("/bin/arm", .EBADARCH),
      ("/bin/ls/", .ENOTDIR), (String(repeating: "x", count: 1024), .ENAMETOOLONG), ("", .ENOENT),
    ] as [(String, DarwinErrno)] {
      #expect(throws: error) { try machine.processes.execute(path, [path], as: machine.bash) }
    }
    #expect(machine.table == before)
    #expect(machine.seen() == [])
    // Not even the superuser executes what nobody may.
    #expect(throws: DarwinErrno.EACCES) {
      try machine.processes.execute("/bin/data", [], as: machine.launchd)
    }
    try machine.processes.execute("/bin/private", [], as: machine.launchd)
  }

  @Test func `files that end with an exec are closed without a word, others stay open`() throws {
    let machine = try ProcessMachine()
    let context = machine.bash.context
    let kept = try machine.files.open("/bin/ls", .read, as: context)
    _ = try machine.files.open("/bin/sh", [.read, .closeOnExec], as: context)
    _ = machine.seen()
    try machine.processes.execute("/bin/ls", ["ls"], as: machine.bash)
    #expect(context.openFiles == 1)
    #expect(machine.seen().allSatisfy { $0.kind.hasPrefix("process.") })
    try machine.files.close(kept, as: context)
  }

  @Test func `a set-user-id program gives its owner's rights, unless it is traced`() throws {
    let machine = try ProcessMachine()
    try machine.add(ImageDescription(), at: "/bin/su", mode: 0o4755)
    try machine.processes.execute("/bin/su", ["su"], as: machine.bash)
    #expect(machine.bash.context.credential.isSuperuser && machine.bash.identity.uid == 0)
    try machine.processes.trace(machine.mallory, by: machine.launchd)
    try machine.processes.execute("/bin/su", ["su"], as: machine.mallory)
    #expect(machine.mallory.context.credential.user == 666)
  }

  @Test func `another result of a spawn is what its caller sees; an exec has no caller`() throws {
    let machine = try ProcessMachine(
      ProcessPlugin(replaced: ["process.exec /bin/ls": 12, "process.exec /bin/sh": 0]))
    #expect(throws: DarwinErrno.ENOMEM) {
      try machine.processes.spawn("/bin/ls", ["ls"], as: machine.launchd, pid: 700)
    }
    #expect(machine.processes.find(700)?.identity.comm == "ls", "it runs all the same")
    try machine.processes.execute("/bin/ls", ["ls"], as: machine.bash)
    #expect(machine.bash.identity.comm == "ls")
  }
}
