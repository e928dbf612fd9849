// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import KemonKernel

/// The files themselves: paths, rights, descriptors, and Darwin's errnos.
@Suite struct FileSystemTests {
  private func machine() throws -> FilesMachine { try FilesMachine(hooked: false) }

  // MARK: Paths

  @Test(
    arguments: [
      ("/etc/hosts", "/etc/hosts"), ("//etc///hosts", "/etc/hosts"), ("/etc/./hosts", "/etc/hosts"),
      ("/etc/../etc/hosts", "/etc/hosts"), ("/../../etc/hosts", "/etc/hosts"),
      ("hosts", "/etc/hosts"),
      ("./hosts", "/etc/hosts"), ("../etc/hosts", "/etc/hosts"), (".", "/etc"), ("..", "/"),
      ("/etc/", "/etc"), ("/", "/"), ("///", "/"), ("/link", "/etc/hosts"),
      ("/directory/hosts", "/etc/hosts"),
      ("/directory", "/etc"), ("/directory/", "/etc"), ("/directory/../etc/hosts", "/etc/hosts"),
      ("/chain", "/etc/hosts"), ("/etc/relative", "/tmp"),
    ])
  func `paths lead where they should`(_ path: String, _ expected: String) throws {
    let machine = try machine()
    let files = machine.files
    try files.symlink("/link", to: "/etc/hosts", as: machine.launchd)
    try files.symlink("/directory", to: "etc", as: machine.launchd)
    try files.symlink("/chain", to: "/link", as: machine.launchd)
    try files.symlink("/etc/relative", to: "../tmp", as: machine.launchd)
    try files.changeDirectory("/etc", as: machine.bash)
    let found = try files.status(path, as: machine.bash)
    #expect(found == (try files.status(expected, as: machine.bash)))
    #expect(try found.number == files.vnode(expected).number)
  }

  @Test(
    arguments: [
      ("", .ENOENT), ("/none", .ENOENT), ("/none/hosts", .ENOENT), ("/etc/hosts/", .ENOTDIR),
      ("/etc/hosts/x", .ENOTDIR), ("/loop", .ELOOP), ("/loop/x", .ELOOP), ("/dangling", .ENOENT),
      ("/" + String(repeating: "n", count: 256), .ENAMETOOLONG),
      (String(repeating: "/n", count: 512), .ENAMETOOLONG), ("/closed/file", .EACCES),
    ] as [(String, DarwinErrno)])
  func `paths that lead nowhere say why`(_ path: String, _ error: DarwinErrno) throws {
    let machine = try machine()
    try machine.files.symlink("/loop", to: "/loop", as: machine.launchd)
    try machine.files.symlink("/dangling", to: "/none", as: machine.launchd)
    try machine.files.makeDirectory("/closed", mode: 0o700, as: machine.launchd)
    try machine.write("x", to: "/closed/file", as: machine.launchd)
    #expect(throws: error) { try machine.files.status(path, as: machine.bash) }
  }

  @Test func `a chain of 32 links is followed, one of 33 is not`() throws {
    let machine = try machine()
    try machine.files.symlink("/0", to: "/etc/hosts", as: machine.launchd)
    for number in 1...32 {
      try machine.files.symlink("/\(number)", to: "/\(number - 1)", as: machine.launchd)
    }
    _ = try machine.files.status("/31", as: machine.bash)
    #expect(throws: DarwinErrno.ELOOP) { try machine.files.status("/32", as: machine.bash) }
  }

  @Test func `a file may be made through a link that dangles`() throws {
    let machine = try machine()
    try machine.files.symlink("/tmp/link", to: "new", as: machine.bash)
    try machine.write("x", to: "/tmp/link", as: machine.bash)
    #expect(machine.text("/tmp/new") == "x")
    #expect(throws: DarwinErrno.EEXIST) {
      try machine.files.open("/tmp/link", [.write, .create, .exclusive], as: machine.bash)
    }
    #expect(throws: DarwinErrno.ELOOP) {
      try machine.files.open("/tmp/link", [.read, .noFollow], as: machine.bash)
    }
  }

  @Test func `a removed working directory leads nowhere`() throws {
    let machine = try machine()
    try machine.files.makeDirectory("/tmp/gone", as: machine.bash)
    try machine.files.changeDirectory("/tmp/gone", as: machine.bash)
    try machine.files.removeDirectory("/tmp/gone", as: machine.bash)
    #expect(throws: DarwinErrno.ENOENT) {
      try machine.files.open("new", [.write, .create], as: machine.bash)
    }
  }

  // MARK: Opening

  @Test(
    arguments: [
      ("/etc/hosts", [], .EINVAL), ("/etc/hosts", [.create, .truncate], .EINVAL),
      ("/etc", .write, .EISDIR), ("/etc", [.read, .truncate], .EISDIR),
      ("/etc/hosts", [.read, .directory], .ENOTDIR), ("/etc/hosts/", [.write, .create], .ENOTDIR),
      ("/tmp/new/", [.write, .create], .EISDIR),
      ("/etc/hosts", [.read, .create, .exclusive], .EEXIST),
      ("/tmp/socket", .read, DarwinErrno(rawValue: 102)), ("/etc/hosts", .write, .EACCES),
      ("/etc/new", [.write, .create], .EACCES), ("/none/new", [.write, .create], .ENOENT),
    ] as [(String, OpenFlags, DarwinErrno)])
  func `an open that can not be says why`(
    _ path: String, _ flags: OpenFlags, _ error: DarwinErrno
  ) throws {
    let machine = try machine()
    try machine.files.place(
      TreeEntry(type: .socket, mode: 0o777, user: 0, group: 0), at: "/tmp/socket")
    let before = machine.files.paths
    #expect(throws: error) { try machine.files.open(path, flags, as: machine.bash) }
    #expect(machine.files.paths == before)
    #expect(machine.bash.openFiles == 0)
    #expect(try machine.files.open("/etc/hosts", .read, as: machine.bash) == 0, "0 is free again")
  }

  @Test func `data goes where the descriptor is`() throws {
    let machine = try machine()
    let files = machine.files
    let file = try files.open("/tmp/a", [.read, .write, .create], mode: 0o666, as: machine.bash)
    try files.write("hello", to: file, as: machine.bash)
    let second = try files.open("/tmp/a", [.write], as: machine.bash)
    try files.write("J", to: second, as: machine.bash)
    let third = try files.open("/tmp/a", [.write, .append], as: machine.bash)
    try files.write(" world", to: third, as: machine.bash)
    try files.write("!", to: third, as: machine.bash)
    #expect(machine.text("/tmp/a") == "Jello world!")
    #expect(try files.read(3, from: file, as: machine.bash) == Array(" wo".utf8))
    #expect(try files.read(100, from: file, as: machine.bash) == Array("rld!".utf8))
    #expect(try files.read(100, from: file, as: machine.bash) == [])
    _ = try files.open("/tmp/a", [.write, .truncate], as: machine.bash)
    try files.write("x", to: second, as: machine.bash)
    #expect(try files.status("/tmp/a", as: machine.bash).size == 2, "there is a hole")
    #expect(throws: DarwinErrno.EBADF) { try files.read(1, from: second, as: machine.bash) }
    #expect(throws: DarwinErrno.EBADF) { try files.close(99, as: machine.bash) }
    #expect(try files.status("/tmp/a", as: machine.bash).mode == 0o644, "the mask took write")
  }

  @Test func `descriptors are the lowest free ones, up to the limit`() throws {
    let machine = try machine()
    for number in 0..<4 {
      #expect(try machine.files.open("/etc/hosts", .read, as: machine.bash) == number)
    }
    try machine.files.close(1, as: machine.bash)
    try machine.files.close(2, as: machine.bash)
    #expect(try machine.files.open("/etc/hosts", .read, as: machine.bash) == 1)
    #expect(try machine.files.open("/etc/hosts", .read, as: machine.bash) == 2)
    #expect(try machine.files.open("/etc/hosts", .read, as: machine.bash) == 4)
    for _ in 5..<DescriptorTable.limit {
      _ = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    }
    #expect(throws: DarwinErrno.EMFILE) {
      try machine.files.open("/etc/hosts", .read, as: machine.bash)
    }
    #expect(try machine.files.open("/etc/hosts", .read, as: machine.mallory) == 0)
  }

  // MARK: Names

  @Test(
    arguments: [
      ("/tmp/none", "/tmp/x", [], .ENOENT), ("/tmp/a", "/none/x", [], .ENOENT),
      ("/tmp/a", "/tmp/full", [], .EISDIR), ("/tmp/full", "/tmp/a", [], .ENOTDIR),
      ("/tmp/full", "/tmp/full/inside", [], .EINVAL), ("/tmp/empty", "/tmp/full", [], .ENOTEMPTY),
      ("/tmp/a", "/tmp/b", .exclusive, .EEXIST), ("/tmp/a", "/tmp/x", .swap, .ENOENT),
      ("/tmp/a", "/tmp/b", [.swap, .exclusive], .EINVAL), ("/", "/tmp/x", [], .EBUSY),
      ("/tmp/.", "/tmp/x", [], .EINVAL), ("/tmp/a", "/tmp/x/", [], .ENOTDIR),
      ("/etc/hosts", "/tmp/x", [], .EACCES), ("/tmp/a", "/etc/x", [], .EACCES),
    ] as [(String, String, RenameFlags, DarwinErrno)])
  func `a rename that can not be says why`(
    _ from: String, _ to: String, _ flags: RenameFlags, _ error: DarwinErrno
  ) throws {
    let machine = try machine()
    try prepare(machine)
    let before = machine.files.paths
    #expect(throws: error) { try machine.files.rename(from, to: to, flags, as: machine.bash) }
    #expect(machine.files.paths == before)
  }

  @Test func `renames replace, move and swap`() throws {
    let machine = try machine()
    try prepare(machine)
    let files = machine.files
    try files.rename("/tmp/a", to: "/tmp/b", as: machine.bash)
    #expect(machine.text("/tmp/b") == "a" && machine.text("/tmp/a") == nil)
    try files.rename("/tmp/b", to: "/tmp/b", as: machine.bash)
    try files.rename("/tmp/full", to: "/tmp/empty", as: machine.bash)
    #expect(machine.text("/tmp/empty/file") == "f")
    try files.rename("/tmp/b", to: "/tmp/empty/file", .swap, as: machine.bash)
    #expect(machine.text("/tmp/b") == "f" && machine.text("/tmp/empty/file") == "a")
    #expect(
      files.paths.filter { $0.hasPrefix("/tmp/") } == ["/tmp/b", "/tmp/empty", "/tmp/empty/file"])
    // Two names of one file: nothing happens.
    try files.link("/tmp/b", as: "/tmp/c", by: machine.bash)
    try files.rename("/tmp/b", to: "/tmp/c", as: machine.bash)
    #expect(try files.status("/tmp/b", as: machine.bash).links == 2)
  }

  @Test func `links are names like any other`() throws {
    let machine = try machine()
    try prepare(machine)
    let files = machine.files
    try files.link("/tmp/a", as: "/tmp/link", by: machine.bash)
    #expect(
      try files.status("/tmp/link", as: machine.bash) == files.status("/tmp/a", as: machine.bash))
    try files.unlink("/tmp/a", as: machine.bash)
    #expect(machine.text("/tmp/link") == "a")
    #expect(try files.status("/tmp/link", as: machine.bash).links == 1)
    let file = try files.open("/tmp/link", .read, as: machine.bash)
    try files.unlink("/tmp/link", as: machine.bash)
    #expect(try files.read(9, from: file, as: machine.bash) == Array("a".utf8), "it is still open")
    for (from, to, error) in [
      ("/tmp/full", "/tmp/x", .EPERM), ("/tmp/b", "/tmp/full", .EEXIST),
      ("/tmp/b", "/tmp/x/", .ENOENT),
      ("/tmp/b", "/etc/x", .EACCES),
    ] as [(String, String, DarwinErrno)] {
      #expect(throws: error) { try files.link(from, as: to, by: machine.bash) }
    }
  }

  @Test func `what is removed must be what it is taken for`() throws {
    let machine = try machine()
    try prepare(machine)
    let files = machine.files
    #expect(throws: DarwinErrno.EPERM) { try files.unlink("/tmp/empty", as: machine.bash) }
    #expect(throws: DarwinErrno.ENOTDIR) { try files.removeDirectory("/tmp/a", as: machine.bash) }
    #expect(throws: DarwinErrno.ENOTEMPTY) {
      try files.removeDirectory("/tmp/full", as: machine.bash)
    }
    #expect(throws: DarwinErrno.EINVAL) {
      try files.removeDirectory("/tmp/empty/.", as: machine.bash)
    }
    #expect(throws: DarwinErrno.EBUSY) { try files.removeDirectory("/", as: machine.launchd) }
    #expect(throws: DarwinErrno.EEXIST) { try files.makeDirectory("/tmp/empty", as: machine.bash) }
    #expect(throws: DarwinErrno.EINVAL) { try files.exchange("/tmp/a", "/tmp/a", as: machine.bash) }
    #expect(throws: DarwinErrno.EINVAL) {
      try files.exchange("/tmp/a", "/tmp/full", as: machine.bash)
    }
    try files.removeDirectory("/tmp/empty", as: machine.bash)
  }

  // MARK: Rights

  @Test func `modes, owners, groups and sticky directories count`() throws {
    let machine = try machine()
    let files = machine.files
    let staff = files.context(for: process(700, "staff", uid: 700), groups: [501])
    try machine.write("a", to: "/tmp/a", as: machine.bash)
    try files.setMode(0o640, of: "/tmp/a", as: machine.bash)
    #expect(throws: DarwinErrno.EACCES) { try files.open("/tmp/a", .read, as: machine.mallory) }
    #expect(throws: DarwinErrno.EACCES) { try files.open("/tmp/a", .read, as: staff) }
    #expect(throws: DarwinErrno.EPERM) {
      try files.setMode(0o777, of: "/tmp/a", as: machine.mallory)
    }
    // /tmp belongs to group 0 and so does what is made there; a file of group 501 is for its members.
    try files.place(TreeEntry(type: .regular, mode: 0o640, user: 501, group: 501), at: "/tmp/group")
    _ = try files.open("/tmp/group", .read, as: staff)
    #expect(throws: DarwinErrno.EACCES) { try files.open("/tmp/group", .write, as: staff) }
    #expect(throws: DarwinErrno.EACCES) { try files.unlink("/tmp/a", as: machine.mallory) }
    try files.setMode(0o777, of: "/tmp", as: machine.launchd)
    try files.unlink("/tmp/a", as: machine.mallory)
    // The superuser may do anything.
    try files.place(TreeEntry(type: .regular, mode: 0, user: 501, group: 501), at: "/tmp/closed")
    _ = try files.open("/tmp/closed", [.read, .write], as: machine.launchd)
    #expect(throws: DarwinErrno.EACCES) { try files.open("/tmp/closed", .read, as: machine.bash) }
  }

  @Test func `a session begins with an empty tree`() throws {
    let machine = try machine()
    try prepare(machine)
    let old = machine.bash
    machine.files.reset()
    #expect(machine.files.paths == [])
    #expect(machine.files.context(for: old.process) !== old)
  }

  private func prepare(_ machine: FilesMachine) throws {
    try machine.write("a", to: "/tmp/a", as: machine.bash)
    try machine.write("b", to: "/tmp/b", as: machine.bash)
    try machine.files.makeDirectory("/tmp/empty", as: machine.bash)
    try machine.files.makeDirectory("/tmp/full", as: machine.bash)
    try machine.write("f", to: "/tmp/full/file", as: machine.bash)
  }
}
