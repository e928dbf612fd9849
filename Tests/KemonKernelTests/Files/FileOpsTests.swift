// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@testable import KemonKernel

/// The row "File ops" of the feature table: every type, rightly classified, before and after.
@Suite struct FileOpsTests {
  @Test func `an open is told before and after, with one number`() throws {
    let machine = try FilesMachine()
    let file = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    #expect(file == 0)
    let seen = machine.seen()
    #expect(seen.map(\.description) == ["pre open /etc/hosts", "post open /etc/hosts"])
    let inode = try machine.files.status("/etc/hosts", as: machine.bash).number
    for event in seen {
      #expect(event.pid == 501)
      #expect(event.flags == 0, "O_RDONLY")
      #expect(event.inode == inode)
      #expect(event.corr == seen[0].corr && event.corr != 0)
    }
    _ = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    #expect(machine.seen()[0].corr != seen[0].corr)
  }

  @Test(
    arguments: [
      ("/etc/hosts", .read, "open"), ("/etc/hosts", .write, "write"),
      ("/etc/hosts", [.read, .write], "write"), ("/etc/hosts", [.read, .append], "write"),
      ("/etc/hosts", [.read, .create], "create"), ("/etc/hosts", [.write, .create], "create"),
      ("/etc/hosts", [.read, .truncate], "open"), ("/tmp/new", [.write, .create], "create"),
      ("/tmp/new", [.read, .create, .append], "create"), ("/etc", .read, "open"),
      ("/", .read, "open"),
      ("/dev/null", .read, "device_open"), ("/dev/null", [.write, .create], "device_open"),
      ("/dev/../dev/./null", .write, "device_open"), ("/dev", .read, "open"),
      ("/devil", [.write, .create], "create"), ("/tmp/device", .write, "device_open"),
    ] as [(String, OpenFlags, String)])
  func `File ops: opens are classified, devices first, then create, write, open`(
    _ path: String, _ flags: OpenFlags, _ kind: String
  ) throws {
    let machine = try FilesMachine()
    try machine.files.place(
      TreeEntry(type: .characterDevice, mode: 0o666, user: 0, group: 0), at: "/dev/null")
    try machine.files.place(
      TreeEntry(type: .link, mode: 0o777, user: 0, group: 0, target: Array("../dev/null".utf8)),
      at: "/tmp/device")
    _ = try machine.files.open(path, flags, as: machine.launchd)
    let real = ["/dev/../dev/./null", "/tmp/device"].contains(path) ? "/dev/null" : path
    let seen = machine.seen()
    #expect(seen.map(\.description) == ["pre \(kind) \(real)", "post \(kind) \(real)"])
    #expect(seen.map(\.flags) == [flags.rawValue - 1, flags.rawValue - 1])
  }

  @Test func `every operation is told with its paths`() throws {
    let machine = try FilesMachine()
    try machine.files.changeDirectory("/tmp", as: machine.bash)
    try machine.write("one", to: "one", as: machine.bash)
    try machine.write("two", to: "./two", as: machine.bash)
    try machine.files.rename("one", to: "../tmp/three", as: machine.bash)
    try machine.files.exchange("two", "three", as: machine.bash)
    try machine.files.link("two", as: "four", by: machine.bash)
    try machine.files.unlink("four", as: machine.bash)
    try machine.files.makeDirectory("directory", as: machine.bash)
    try machine.files.removeDirectory("directory/", as: machine.bash)
    let expected = [
      ("create", "/tmp/one"), ("create", "/tmp/two"), ("rename", "/tmp/one /tmp/three"),
      ("exchange", "/tmp/two /tmp/three"), ("link", "/tmp/two /tmp/four"), ("delete", "/tmp/four"),
      ("delete", "/tmp/directory"),
    ].flatMap { kind, paths in
      ["pre \(kind) \(paths)", "post \(kind) \(paths)"]
        + (kind == "create" ? ["post close \(paths)"] : [])
    }
    let seen = machine.seen()
    #expect(seen.map(\.description) == expected)
    #expect(seen.allSatisfy { $0.inode != 0 || ($0.kind == "file.create" && $0.phase == .pre) })
    for pre in seen where pre.phase == .pre {
      #expect(seen.filter { $0.corr == pre.corr }.map(\.phase) == [.pre, .post])
    }
    #expect(machine.text("/tmp/two") == "one" && machine.text("/tmp/three") == "two")
  }

  // MARK: Denied before: nothing has changed

  private static let calls: [FileCall] = [
    FileCall("open /etc/hosts") { _ = try $0.files.open("/etc/hosts", .read, as: $0.bash) },
    FileCall("write /tmp/a") { _ = try $0.files.open("/tmp/a", [.write, .truncate], as: $0.bash) },
    FileCall("create /tmp/new") {
      _ = try $0.files.open("/tmp/new", [.write, .create], as: $0.bash)
    },
    FileCall("create /tmp/a") {
      _ = try $0.files.open("/tmp/a", [.write, .create, .truncate], as: $0.bash)
    },
    FileCall("rename /tmp/a") { try $0.files.rename("/tmp/a", to: "/tmp/b", as: $0.bash) },
    FileCall("exchange /tmp/a") { try $0.files.exchange("/tmp/a", "/tmp/b", as: $0.bash) },
    FileCall("link /tmp/a") { try $0.files.link("/tmp/a", as: "/tmp/c", by: $0.bash) },
    FileCall("delete /tmp/a") { try $0.files.unlink("/tmp/a", as: $0.bash) },
    FileCall("delete /tmp/empty") { try $0.files.removeDirectory("/tmp/empty", as: $0.bash) },
  ]

  @Test(arguments: calls)
  func `what is denied does not happen`(_ call: FileCall) throws {
    // EBUSY: Linux and Darwin agree on it. ENOTEMPTY: they do not.
    for (linux, darwin) in [(16, DarwinErrno.EBUSY), (39, .ENOTEMPTY)] as [(Int32, DarwinErrno)] {
      let machine = try FilesMachine(FilePlugin(denied: [call.name: linux]))
      for name in ["a", "b"] {
        try machine.files.place(
          TreeEntry(type: .regular, mode: 0o644, user: 501, group: 501, contents: Array(name.utf8)),
          at: "/tmp/\(name)")
      }
      try machine.files.makeDirectory("/tmp/empty", as: machine.bash)
      let before = machine.files.paths
      let error = #expect(throws: DarwinErrno.self) { try call.make(machine) }
      #expect(error == darwin)
      #expect(machine.files.paths == before)
      #expect(machine.text("/tmp/a") == "a" && machine.text("/tmp/b") == "b")
      #expect(machine.bash.openFiles == 0)
      let seen = machine.seen()
      #expect(seen.map(\.phase) == [.pre, .post], "post for every pre")
      #expect(seen.map(\.verdict) == [.deny, .abstain])
      #expect(seen.map(\.result) == [0, linux])
      #expect(seen[0].corr == seen[1].corr)
    }
  }

  // MARK: Narrowed before

  @Test func `an open may be narrowed to reading`() throws {
    let machine = try FilesMachine(
      FilePlugin(masks: ["write /tmp/a": UInt64(OpenFlags.read.rawValue)]))
    try machine.write("a", to: "/tmp/a", as: machine.bash)
    let file = try machine.files.open("/tmp/a", [.read, .write, .truncate], as: machine.bash)
    #expect(machine.text("/tmp/a") == "a", "not truncated")
    #expect(try machine.files.read(10, from: file, as: machine.bash) == Array("a".utf8))
    #expect(throws: DarwinErrno.EBADF) {
      try machine.files.write("b", to: file, as: machine.bash)
    }
    // Nothing is left of an open for writing only.
    #expect(throws: DarwinErrno.EPERM) {
      try machine.files.open("/tmp/a", .write, as: machine.bash)
    }
  }

  @Test func `flags that a handler gives take rights away, and add none`() throws {
    let machine = try FilesMachine(
      FilePlugin(changed: ["write /tmp/a": .flags(0), "open /tmp/b": .flags(2)]))
    try machine.write("a", to: "/tmp/a", as: machine.bash)
    try machine.write("b", to: "/tmp/b", as: machine.bash)
    let file = try machine.files.open("/tmp/a", [.read, .write, .truncate], as: machine.bash)
    #expect(machine.text("/tmp/a") == "a", "not truncated")
    #expect(throws: DarwinErrno.EBADF) {
      try machine.files.write("b", to: file, as: machine.bash)
    }
    let other = try machine.files.open("/tmp/b", .read, as: machine.bash)
    #expect(throws: DarwinErrno.EBADF, "reading was asked for, writing is not given") {
      try machine.files.write("b", to: other, as: machine.bash)
    }
  }

  @Test func `a new file has the permissions that a handler gives`() throws {
    let machine = try FilesMachine(FilePlugin(changed: ["create /tmp/a": .mode(0o4600)]))
    let file = try machine.files.open("/tmp/a", [.write, .create], mode: 0o666, as: machine.bash)
    try machine.files.close(file, as: machine.bash)
    #expect(try machine.files.status("/tmp/a", as: machine.bash).mode & 0o7777 == 0o600)
  }

  // MARK: Replaced afterwards

  @Test func `what is said afterwards is what the caller gets`() throws {
    let machine = try FilesMachine(
      FilePlugin(
        denied: ["delete /tmp/b": 1],
        replaced: [
          "open /etc/hosts": 5, "create /tmp/new": 35, "rename /tmp/a": 13, "delete /tmp/b": 0,
          "delete /tmp/none": 0, "open /etc/closed": 0,
        ]))
    try machine.write("a", to: "/tmp/a", as: machine.bash)
    try machine.write("b", to: "/tmp/b", as: machine.bash)
    try machine.files.place(
      TreeEntry(type: .regular, mode: 0, user: 0, group: 0), at: "/etc/closed")
    #expect(throws: DarwinErrno(rawValue: 5)) {
      try machine.files.open("/etc/hosts", .read, as: machine.bash)
    }
    #expect(throws: DarwinErrno.EDEADLK, "35 on Linux") {
      try machine.files.open("/tmp/new", [.write, .create], as: machine.bash)
    }
    #expect(machine.bash.openFiles == 0)
    #expect(machine.text("/tmp/new") == "", "it was done")
    #expect(throws: DarwinErrno.EACCES) {
      try machine.files.rename("/tmp/a", to: "/tmp/c", as: machine.bash)
    }
    #expect(machine.text("/tmp/c") == "a", "it was done")
    try machine.files.unlink("/tmp/b", as: machine.bash)
    #expect(machine.text("/tmp/b") == "b", "it was not done")
    // An open that failed has no file to give.
    #expect(throws: DarwinErrno.EACCES) {
      try machine.files.open("/etc/closed", .read, as: machine.bash)
    }
  }

  @Test func `a replaced close is what the caller gets, and the descriptor is gone`() throws {
    let machine = try FilesMachine(FilePlugin(replaced: ["close /etc/hosts": 5]))
    let file = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    #expect(throws: DarwinErrno(rawValue: 5)) {
      try machine.files.close(file, as: machine.bash)
    }
    #expect(machine.bash.openFiles == 0)
    #expect(throws: DarwinErrno.EBADF) {
      try machine.files.read(1, from: file, as: machine.bash)
    }
  }

  // MARK: Look-ups

  @Test func `a denied look-up leads nowhere`() throws {
    let machine = try FilesMachine(FilePlugin(denied: ["lookup /etc/hosts": 2]), lookups: true)
    #expect(throws: DarwinErrno.ENOENT) {
      try machine.files.open("/etc/hosts", .read, as: machine.bash)
    }
    #expect(machine.bash.openFiles == 0)
    #expect(throws: DarwinErrno.ENOENT) {
      try machine.files.unlink("/etc/hosts", as: machine.launchd)
    }
    #expect(machine.text("/etc/hosts") == "localhost")
    let seen = machine.seen()
    #expect(!seen.contains { $0.kind == "file.open" || $0.kind == "file.delete" })
    #expect(
      seen.filter { $0.path == "/etc/hosts" }.map(\.description)
        == Array(repeating: ["pre lookup /etc/hosts", "post lookup /etc/hosts ENOENT"], count: 2)
        .flatMap { $0 })
  }

  @Test func `a replaced look-up is what the walk gets`() throws {
    let machine = try FilesMachine(
      FilePlugin(
        denied: ["lookup /etc/hosts": 13], replaced: ["lookup /etc/hosts": 0, "lookup /tmp": 13]),
      lookups: true)
    let file = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    #expect(try machine.files.read(9, from: file, as: machine.bash) == Array("localhost".utf8))
    #expect(throws: DarwinErrno.EACCES) {
      try machine.files.open("/tmp/new", [.write, .create], as: machine.bash)
    }
    #expect(!machine.files.paths.contains("/tmp/new"))
  }

  // MARK: What else is told

  @Test func `an attempt that the kernel refuses is told, too`() throws {
    let machine = try FilesMachine()
    #expect(throws: DarwinErrno.EACCES) {
      try machine.files.open("/etc/hosts", .write, as: machine.bash)
    }
    #expect(throws: DarwinErrno.EACCES) { try machine.files.unlink("/etc/hosts", as: machine.bash) }
    #expect(throws: DarwinErrno.ENOENT) {
      try machine.files.open("/etc/none", .read, as: machine.bash)
    }
    #expect(
      machine.seen().map(\.description) == [
        "pre write /etc/hosts", "post write /etc/hosts EACCES", "pre delete /etc/hosts",
        "post delete /etc/hosts EACCES",
      ])
  }

  @Test func `a close tells whether the descriptor was written to`() throws {
    let machine = try FilesMachine()
    try machine.write("a", to: "/tmp/a", as: machine.bash)
    _ = machine.seen()
    for flags in [[.read, .write], [.write, .truncate]] as [OpenFlags] {
      let file = try machine.files.open("/tmp/a", flags, as: machine.bash)
      try machine.files.close(file, as: machine.bash)
    }
    let file = try machine.files.open("/tmp/a", [.read, .write], as: machine.bash)
    try machine.files.write("b", to: file, as: machine.bash)
    try machine.files.unlink("/tmp/a", as: machine.bash)
    try machine.files.close(file, as: machine.bash)
    let closes = machine.seen().filter { $0.kind == "file.close" }
    #expect(closes.map(\.modified) == [0, 0, 1], "truncating is not writing")
    #expect(closes.map(\.path) == ["/tmp/a", "/tmp/a", ""], "it has no path any more")
  }

  @Test func `nobody is told of files that are open at exit`() throws {
    let machine = try FilesMachine()
    _ = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    _ = machine.seen()
    machine.files.exit(machine.bash)
    #expect(machine.seen().isEmpty)
    #expect(machine.bash.openFiles == 0)
  }

  @Test func `two kernels of a process do not hear each other`() throws {
    let one = try FilesMachine()
    let other = try FilesMachine(FilePlugin(denied: ["open /etc/hosts": 1]))
    _ = try one.files.open("/etc/hosts", .read, as: one.bash)
    #expect(throws: DarwinErrno.EPERM) {
      try other.files.open("/etc/hosts", .read, as: other.bash)
    }
    #expect(one.seen().map(\.description) == ["pre open /etc/hosts", "post open /etc/hosts"])
    #expect(
      other.seen().map(\.description) == ["pre open /etc/hosts", "post open /etc/hosts EPERM"])
  }

  @Test func `without hooks nothing is told, and they can come and go`() throws {
    let machine = try FilesMachine(hooked: false)
    _ = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    #expect(machine.seen().isEmpty)
    try machine.monitor.attach()
    try machine.monitor.attach()
    _ = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    #expect(machine.seen().count == 2)
    try machine.monitor.detach()
    _ = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    #expect(machine.seen().isEmpty)
  }
}
