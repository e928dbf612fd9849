// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

@testable import KemonKernel

/// An operation of one family that a plugin is asked about, and what it leaves behind when it happens.
struct FamilyOperation: Sendable, CustomTestStringConvertible {
  let kind: String
  /// Makes ready what the operation needs, before the plugin is there.
  let prepare: @Sendable (KernelModel) throws -> Void
  /// Does it.
  let perform: @Sendable (KernelModel) throws -> Void
  /// Whether it has happened, by the model's state.
  let hasHappened: @Sendable (KernelModel) throws -> Bool

  var testDescription: String { kind }

  init(
    _ kind: String, prepare: @escaping @Sendable (KernelModel) throws -> Void = { _ in },
    perform: @escaping @Sendable (KernelModel) throws -> Void,
    hasHappened: @escaping @Sendable (KernelModel) throws -> Bool
  ) {
    self.kind = kind
    self.prepare = prepare
    self.perform = perform
    self.hasHappened = hasHappened
  }

  private static func root(_ model: KernelModel) -> ProcessContext {
    model.files.context(for: process(1, "launchd", uid: 0))
  }

  private static func write(_ text: String, to path: String, _ model: KernelModel) throws {
    let file = try model.files.open(path, [.write, .create], as: root(model))
    try model.files.write(text, to: file, as: root(model))
    try model.files.close(file, as: root(model))
  }

  private static let policy = "fault_m"

  private static func register(_ model: KernelModel) throws {
    let policy = try MACPolicy(
      name: policy, fullName: policy, table: model.mac.table, flags: 2, handlers: [])
    _ = try model.mac.register(policy)
  }

  private static func isRegistered(_ model: KernelModel) throws -> Bool {
    try model.mac.list().contains { $0.name == policy }
  }

  private static let server = end("93.184.216.34:443")
  private static let resolver = end("192.168.1.1:53")

  private static func addServer(_ model: KernelModel) {
    model.network.add(
      RemoteHost(server.address, services: [.init(.stream, port: 443, replies: [[1]])]))
  }

  private static func shell(_ model: KernelModel) -> ModelProcess {
    model.processes.adopt(process(500, "sh", uid: 0))
  }

  private static func victim(_ model: KernelModel) -> ModelProcess {
    model.processes.adopt(process(501, "victim", uid: 501))
  }

  private static func place(_ image: ImageDescription, at path: String, _ model: KernelModel) throws
  {
    try model.files.place(
      TreeEntry(type: .regular, mode: 0o755, user: 0, group: 0, contents: image.bytes), at: path)
  }

  /// One of each family, and more where its operations differ.
  static let all: [FamilyOperation] = [
    FamilyOperation(
      "kext.start", perform: { model in _ = model.kexts.request { $0.request("driver") } },
      hasHappened: { $0.kexts.outcomes.first?.runs.start == 1 }),
    FamilyOperation(
      "kext.stop", prepare: { model in _ = model.kexts.request { $0.request("driver") } },
      perform: { model in _ = model.kexts.request { $0.requestRemoval("driver") } },
      hasHappened: { $0.kexts.modules.isEmpty }),
    FamilyOperation(
      "mac.policy_register", perform: { try register($0) },
      hasHappened: { try isRegistered($0) }),
    FamilyOperation(
      "mac.policy_unregister", prepare: { try register($0) },
      perform: { model in
        guard let handle = try model.mac.list().first(where: { $0.name == policy })?.index else {
          return
        }
        _ = try model.mac.unregister(handle)
      }, hasHappened: { try !isRegistered($0) }),
    FamilyOperation(
      "file.create", perform: { try write("new", to: "/new", $0) },
      hasHappened: { $0.files.paths.contains("/new") }),
    FamilyOperation(
      "file.rename", prepare: { try write("a", to: "/a", $0) },
      perform: { try $0.files.rename("/a", to: "/b", as: root($0)) },
      hasHappened: { $0.files.paths == ["/b"] }),
    FamilyOperation(
      "file.delete", prepare: { try write("a", to: "/a", $0) },
      perform: { try $0.files.unlink("/a", as: root($0)) },
      hasHappened: { $0.files.paths.isEmpty }),
    FamilyOperation(
      "process.fork", perform: { _ = try $0.processes.fork(shell($0)) },
      hasHappened: { $0.processes.children(of: shell($0)).count == 1 }),
    FamilyOperation(
      "process.exec", prepare: { try place(ImageDescription(), at: "/bin/program", $0) },
      perform: { try $0.processes.execute("/bin/program", ["program", "-v"], as: shell($0)) },
      hasHappened: { shell($0).arguments == ["program", "-v"] }),
    FamilyOperation(
      "process.trace", perform: { try $0.processes.trace(victim($0), by: shell($0)) },
      hasHappened: { victim($0).tracer == 500 }),
    FamilyOperation(
      "dylib.map",
      prepare: { try place(ImageDescription(kind: .library), at: "/lib/a.dylib", $0) },
      perform: { try Dyld($0.processes).load("/lib/a.dylib", in: shell($0)) },
      hasHappened: { model in
        shell(model).withState { !$0.memory.images.isEmpty && !$0.memory.mappings.isEmpty }
      }),
    FamilyOperation(
      "net.connect", prepare: { addServer($0) },
      perform: { model in
        let socket = try model.network.socket(.stream)
        try model.network.connect(socket, to: server)
        try model.network.send(Array("GET".utf8), on: socket)
      }, hasHappened: { $0.network.sentCount == 1 }),
    FamilyOperation(
      "net.dns_query",
      perform: { model in
        let socket = try model.network.socket(.datagram)
        try model.network.send(query("a.example"), on: socket, to: resolver)
      }, hasHappened: { $0.network.sentCount == 1 }),
  ]
}

/// How a handler fails to answer.
enum FamilyFault: CaseIterable, Sendable, CustomTestStringConvertible {
  case error, death, absence, timeout, noTurn

  var testDescription: String { "\(self)" }

  /// What the function that is called for it returns.
  var status: kemon_status {
    switch self {
    case .error: KEMON_E_FAILED
    case .death: StandInStatus.died
    case .absence: StandInStatus.absent
    case .timeout: StandInStatus.timedOut
    case .noTurn: StandInStatus.noTurn
    }
  }

  var isLate: Bool { self == .timeout || self == .noTurn }
}
