// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import KemonKernel

/// The order in which the kernel asks and tells, step by step as the lives of files have it.
@Suite struct FileOrderTests {
  /// A kernel in which policies and listeners write down that they were asked, and say no when told to.
  private struct Witness {
    let machine: FilesMachine
    let notes: Notes

    init(release: KernelRelease = .macOS10_13_6, refusing: String? = nil) throws {
      let notes = Notes()
      let policies = PolicyCheck(
        knows: { _ in true },
        ask: { operation, _ in
          notes.add(String(operation.name.dropFirst(4)))
          return operation.name.dropFirst(4) == refusing ?? "" ? 1 : 0
        })
      self.notes = notes
      machine = try FilesMachine(release: release, policies: policies, hooked: false)
      try machine.write("a", to: "/tmp/a", as: machine.bash)
      try machine.write("b", to: "/tmp/b", as: machine.bash)
      for scope in [KauthScope.vnode, .fileOperation] {
        _ = try #require(
          machine.kauth.listen(to: scope.rawValue) { request in
            let text = request.text
            notes.add(text)
            return text == refusing ? .deny : .defer
          })
      }
      _ = notes.take()
    }

    /// What was asked, without the steps along paths.
    func asked(_ body: (FilesMachine) throws -> Void) rethrows -> [String] {
      try body(machine)
      return notes.take().filter { !$0.contains("lookup") && !$0.contains("KAUTH_VNODE_SEARCH") }
    }
  }

  @Test func `open: policy, rights, notification, and only then truncation`() throws {
    let witness = try Witness()
    let sizes = Notes()
    let files = witness.machine.files
    _ = try #require(
      witness.machine.kauth.listen(to: KauthScope.fileOperation.rawValue) { _ in
        sizes.add(String(decoding: (try? files.vnode("/tmp/a"))?.contents ?? [], as: UTF8.self))
        return .defer
      })
    let asked = try witness.asked {
      _ = try $0.files.open("/tmp/a", [.write, .truncate], as: $0.bash)
    }
    #expect(
      asked == [
        "vnode_check_open", "KAUTH_VNODE_WRITE_DATA /tmp/a", "vnode_notify_open",
        "KAUTH_FILEOP_OPEN /tmp/a",
      ])
    #expect(sizes.all == ["a"])
    #expect(witness.machine.text("/tmp/a") == "")
  }

  @Test(
    arguments: [
      (.read, "READ_DATA"), ([.read, .write], "READ_DATA|KAUTH_VNODE_WRITE_DATA"),
      ([.write, .append], "APPEND_DATA"), ([.write, .append, .truncate], "WRITE_DATA"),
    ] as [(OpenFlags, String)])
  func `open: the rights are those that the flags need`(_ flags: OpenFlags, _ rights: String) throws
  {
    let witness = try Witness()
    let asked = try witness.asked { _ = try $0.files.open("/tmp/a", flags, as: $0.bash) }
    #expect(asked.contains("KAUTH_VNODE_\(rights) /tmp/a"))
  }

  @Test func `create: the directory is asked about, not the file`() throws {
    let asked = try Witness().asked {
      _ = try $0.files.open("/tmp/new", [.write, .create], as: $0.bash)
    }
    #expect(
      asked == [
        "vnode_check_create", "KAUTH_VNODE_ADD_FILE /tmp", "vnode_notify_open",
        "KAUTH_FILEOP_OPEN /tmp/new",
      ])
  }

  @Test func `lookup: preflight for each walk, then policy and search at each step`() throws {
    let witness = try Witness()
    try witness.machine.files.symlink("/link", to: "/tmp", as: witness.machine.launchd)
    _ = witness.notes.take()
    _ = try witness.machine.files.status("/link/a", as: witness.machine.mallory)
    #expect(
      witness.notes.take() == [
        "vnode_check_lookup_preflight", "vnode_check_lookup", "KAUTH_VNODE_SEARCH /",
        "vnode_check_lookup_preflight", "vnode_check_lookup", "vnode_check_lookup",
        "KAUTH_VNODE_SEARCH /tmp", "vnode_check_stat",
        "KAUTH_VNODE_READ_ATTRIBUTES|KAUTH_VNODE_READ_SECURITY /tmp/a",
      ])
    _ = try witness.machine.files.status("/tmp/a", as: witness.machine.mallory)
    #expect(!witness.notes.take().contains { $0.contains("SEARCH") }, "the cache knows")
  }

  @Test func `close: a notification only`() throws {
    let witness = try Witness()
    let file = try witness.machine.files.open("/tmp/a", .read, as: witness.machine.bash)
    _ = witness.notes.take()
    #expect(
      try witness.asked { try $0.files.close(file, as: $0.bash) } == ["KAUTH_FILEOP_CLOSE /tmp/a"])
  }

  private static let rename = [
    "vnode_check_rename_from", "vnode_check_rename_to", "vnode_check_rename",
    "KAUTH_VNODE_DELETE /tmp/a", "KAUTH_VNODE_DELETE /tmp/b", "vnode_notify_rename",
    "KAUTH_FILEOP_RENAME /tmp/a /tmp/b",
  ]

  @Test func `rename: three policies, rights, notifications`() throws {
    let asked = try Witness().asked { try $0.files.rename("/tmp/a", to: "/tmp/b", as: $0.bash) }
    #expect(asked == Self.rename)
    let free = try Witness().asked { try $0.files.rename("/tmp/a", to: "/tmp/c", as: $0.bash) }
    #expect(free[3...4] == ["KAUTH_VNODE_DELETE /tmp/a", "KAUTH_VNODE_ADD_FILE /tmp"])
    let swapped = try Witness().asked {
      try $0.files.rename("/tmp/a", to: "/tmp/b", .swap, as: $0.bash)
    }
    #expect(
      swapped.suffix(2) == [
        "KAUTH_FILEOP_RENAME /tmp/a /tmp/b", "KAUTH_FILEOP_RENAME /tmp/b /tmp/a",
      ])
  }

  @Test func `rename: the will is told before rights are checked, also when they then refuse`()
    throws
  {
    let mojave = try #require(KernelRelease.named("10.14.6"))
    let witness = try Witness(release: mojave, refusing: "KAUTH_VNODE_DELETE /tmp/a")
    #expect(throws: DarwinErrno.EACCES) {
      try witness.machine.files.rename("/tmp/a", to: "/tmp/b", as: witness.machine.bash)
    }
    #expect(
      witness.asked { _ in } == Array(Self.rename[..<3]) + [
        "KAUTH_FILEOP_WILL_RENAME /tmp/a /tmp/b", "KAUTH_VNODE_DELETE /tmp/a",
      ])
    #expect(witness.machine.text("/tmp/a") == "a")
  }

  @Test func `unlink, link and exchange`() throws {
    let witness = try Witness()
    #expect(
      try witness.asked { try $0.files.link("/tmp/a", as: "/tmp/c", by: $0.bash) } == [
        "vnode_check_link", "KAUTH_VNODE_LINKTARGET /tmp/a", "KAUTH_VNODE_ADD_FILE /tmp",
        "vnode_notify_link", "KAUTH_FILEOP_LINK /tmp/a /tmp/c",
      ])
    #expect(
      try witness.asked { try $0.files.unlink("/tmp/c", as: $0.bash) } == [
        "vnode_check_unlink", "KAUTH_VNODE_DELETE /tmp/a", "KAUTH_FILEOP_DELETE /tmp/c",
      ])
    let rights = "KAUTH_VNODE_READ_DATA|KAUTH_VNODE_WRITE_DATA"
    #expect(
      try witness.asked { try $0.files.exchange("/tmp/a", "/tmp/b", as: $0.bash) } == [
        "vnode_check_exchangedata", "\(rights) /tmp/a", "\(rights) /tmp/b",
        "KAUTH_FILEOP_EXCHANGE /tmp/a /tmp/b",
      ])
  }

  private static let refusals: [FileCall] = [
    FileCall("vnode_check_open") {
      _ = try $0.files.open("/tmp/a", [.write, .truncate], as: $0.bash)
    },
    FileCall("vnode_check_create") {
      _ = try $0.files.open("/tmp/c", [.write, .create], as: $0.bash)
    },
    FileCall("vnode_check_rename_from") {
      try $0.files.rename("/tmp/a", to: "/tmp/b", as: $0.bash)
    },
    FileCall("vnode_check_rename_to") { try $0.files.rename("/tmp/a", to: "/tmp/b", as: $0.bash) },
    FileCall("vnode_check_rename") { try $0.files.rename("/tmp/a", to: "/tmp/b", as: $0.bash) },
    FileCall("vnode_check_unlink") { try $0.files.unlink("/tmp/a", as: $0.bash) },
    FileCall("vnode_check_link") { try $0.files.link("/tmp/a", as: "/tmp/c", by: $0.bash) },
    FileCall("vnode_check_exchangedata") { try $0.files.exchange("/tmp/a", "/tmp/b", as: $0.bash) },
    FileCall("vnode_check_lookup") { _ = try $0.files.status("/tmp/a", as: $0.bash) },
    FileCall("vnode_check_lookup_preflight") { _ = try $0.files.status("/tmp/a", as: $0.bash) },
    FileCall("vnode_check_stat") { _ = try $0.files.status("/tmp/a", as: $0.bash) },
    FileCall("vnode_check_setmode") { try $0.files.setMode(0, of: "/tmp/a", as: $0.bash) },
  ]

  @Test(arguments: refusals)
  func `a policy that refuses stops the operation with its errno`(_ call: FileCall) throws {
    let policies = RefusingPolicy(call.name)
    let machine = try FilesMachine(policies: policies.check, hooked: false)
    try machine.write("a", to: "/tmp/a", as: machine.bash)
    try machine.write("b", to: "/tmp/b", as: machine.bash)
    let before = machine.files.paths
    policies.isOn.store(true, ordering: .releasing)
    #expect(throws: DarwinErrno.EBUSY) { try call.make(machine) }
    policies.isOn.store(false, ordering: .releasing)
    #expect(machine.files.paths == before)
    #expect(machine.text("/tmp/a") == "a" && machine.text("/tmp/b") == "b")
    try call.make(machine)
  }

  @Test func `a release without an operation never asks for it`() throws {
    let notes = Notes()
    let policies = PolicyCheck(
      knows: { $0 == "mpo_vnode_check_unlink" },
      ask: { operation, _ in
        notes.add(operation.name)
        return 0
      })
    let machine = try FilesMachine(policies: policies, hooked: false)
    try machine.write("a", to: "/tmp/a", as: machine.bash)
    try machine.files.unlink("/tmp/a", as: machine.bash)
    #expect(notes.all == ["mpo_vnode_check_unlink"])
  }

  @Test func `a listener of the vnode scope can refuse, with its own errno`() throws {
    let machine = try FilesMachine(hooked: false)
    _ = try #require(
      machine.kauth.listen(to: KauthScope.vnode.rawValue) { request in
        guard request.vnodePath == "/etc/hosts" else { return .defer }
        if request.action & VnodeActions.writeData.rawValue != 0 { request.suggest(.EBUSY) }
        return .deny
      })
    #expect(throws: DarwinErrno.EACCES, "EPERM becomes EACCES") {
      try machine.files.open("/etc/hosts", .read, as: machine.bash)
    }
    #expect(throws: DarwinErrno.EBUSY) {
      try machine.files.open("/etc/hosts", .write, as: machine.launchd)
    }
  }
}

private final class RefusingPolicy: Sendable {
  let isOn = Atomic<Bool>(false)
  private let operation: String

  init(_ operation: String) { self.operation = "mpo_" + operation }

  var check: PolicyCheck {
    PolicyCheck(
      knows: { _ in true },
      ask: { asked, _ in
        self.isOn.load(ordering: .acquiring) && asked.name == self.operation ? 16 : 0
      })
  }
}
