// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import Testing

@testable import KemonKernel

/// What the slides say that kernel authorization can not do, and beside it Kemon's hook that can.
///
/// The fourth is about executing: see ``ExecListenerTests``.
@Suite struct KauthLimitationTests {
  /// A listener to file operations that says no to everything.
  private func listen(_ machine: FilesMachine, _ notes: Notes) throws {
    _ = try #require(
      machine.kauth.listen(to: KauthScope.fileOperation.rawValue) { request in
        notes.add(request.text)
        request.suggest(.EACCES)
        return .deny
      })
  }

  @Test func `limitation 1: in thirteen years nothing came that is told before a rename`() throws {
    let notes = Notes()
    let machine = try FilesMachine(FilePlugin(denied: ["rename /tmp/a": 1]))
    try machine.write("a", to: "/tmp/a", as: machine.bash)
    try listen(machine, notes)
    _ = machine.seen()
    // Kemon asks before, in a kernel whose listeners could only have heard of it afterwards.
    #expect(throws: DarwinErrno.EPERM) {
      try machine.files.rename("/tmp/a", to: "/tmp/b", as: machine.bash)
    }
    #expect(notes.take() == [])
    #expect(machine.seen().first?.description == "pre rename /tmp/a /tmp/b")
    #expect(machine.text("/tmp/a") == "a")
    // Since 10.14.1 listeners are told, and can still do nothing.
    let mojave = try #require(KernelRelease.named("10.14.6"))
    let newer = try FilesMachine(release: mojave)
    try newer.write("a", to: "/tmp/a", as: newer.bash)
    try listen(newer, notes)
    try newer.files.rename("/tmp/a", to: "/tmp/b", as: newer.bash)
    #expect(
      notes.take() == [
        "KAUTH_FILEOP_WILL_RENAME /tmp/a /tmp/b", "KAUTH_FILEOP_RENAME /tmp/a /tmp/b",
      ])
  }

  @Test func `limitation 2: of seven callbacks none tells reading from writing`() throws {
    let notes = Notes()
    let machine = try FilesMachine()
    try machine.files.place(
      TreeEntry(type: .characterDevice, mode: 0o666, user: 0, group: 0), at: "/dev/null")
    try listen(machine, notes)
    _ = machine.seen()
    for (path, flags) in [
      ("/etc/hosts", .read), ("/tmp/new", [.write, .create]), ("/tmp/new", [.write, .append]),
      ("/dev/null", .write),
    ] as [(String, OpenFlags)] {
      _ = try machine.files.open(path, flags, as: machine.bash)
    }
    try machine.files.makeDirectory("/tmp/directory", as: machine.bash)
    try machine.files.setMode(0o700, of: "/tmp/directory", as: machine.bash)
    #expect(
      notes.take() == [
        "KAUTH_FILEOP_OPEN /etc/hosts", "KAUTH_FILEOP_OPEN /tmp/new", "KAUTH_FILEOP_OPEN /tmp/new",
        "KAUTH_FILEOP_OPEN /dev/null",
      ])
    #expect(
      machine.seen().filter { $0.phase == .pre }.map(\.description) == [
        "pre open /etc/hosts", "pre create /tmp/new", "pre write /tmp/new",
        "pre device_open /dev/null",
      ])
  }

  @Test func `limitation 3: a listener to file operations blocks nothing, the hook does`() throws {
    let notes = Notes()
    let machine = try FilesMachine(FilePlugin(denied: ["open /etc/secret": 13]))
    for name in ["hosts", "secret"] {
      try machine.files.place(
        TreeEntry(type: .regular, mode: 0o644, user: 0, group: 0), at: "/etc/\(name)")
    }
    try listen(machine, notes)
    let file = try machine.files.open("/etc/hosts", .read, as: machine.bash)
    #expect(file == 0, "the listener said no")
    #expect(notes.take() == ["KAUTH_FILEOP_OPEN /etc/hosts"])
    #expect(throws: DarwinErrno.EACCES) {
      try machine.files.open("/etc/secret", .read, as: machine.bash)
    }
    #expect(notes.take() == [], "it did not come so far")
    #expect(machine.bash.openFiles == 1)
  }

  @Test func `limitation 5: a search that the cache hides is seen by the hook`() throws {
    let notes = Notes()
    let machine = try FilesMachine(FilePlugin(denied: ["lookup /etc/secret": 2]), lookups: true)
    _ = try #require(
      machine.kauth.listen(to: KauthScope.vnode.rawValue) { request in
        if request.action == VnodeActions.search.rawValue { notes.add(request.vnodePath ?? "?") }
        return .defer
      })
    _ = machine.seen()
    _ = try machine.files.status("/etc/hosts", as: machine.bash)
    #expect(notes.take() == ["/", "/etc"], "nothing is cached for this user yet")
    _ = try machine.files.status("/etc/hosts", as: machine.bash)
    #expect(notes.take() == [], "now the directories know that the user may search them")
    let seen = machine.seen().filter { $0.phase == .pre }
    #expect(
      seen.map(\.description)
        == Array(repeating: ["pre lookup /etc", "pre lookup /etc/hosts"], count: 2).flatMap { $0 })
    // And it can say no where nobody would have been asked.
    try machine.files.place(
      TreeEntry(type: .regular, mode: 0o644, user: 0, group: 0), at: "/etc/secret")
    #expect(throws: DarwinErrno.ENOENT) {
      try machine.files.status("/etc/secret", as: machine.bash)
    }
    #expect(notes.take() == [])
    // The cache is one user's at a time, and is forgotten with the mode.
    _ = try machine.files.status("/etc/hosts", as: machine.mallory)
    #expect(notes.take() == ["/", "/etc"])
    _ = try machine.files.status("/etc/hosts", as: machine.mallory)
    #expect(notes.take() == [])
    try machine.files.setMode(0o700, of: "/etc", as: machine.launchd)
    _ = notes.take()
    #expect(throws: DarwinErrno.EACCES) {
      try machine.files.status("/etc/hosts", as: machine.mallory)
    }
  }
}
