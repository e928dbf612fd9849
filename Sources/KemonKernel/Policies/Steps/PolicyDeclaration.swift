// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonEvents
internal import KemonText

/// A policy of a session.
struct PolicyDeclaration: Sendable {
  private static let flagBits: [(name: String, bit: Int32)] = [
    ("NOTLATE", MPC_LOADTIME_FLAG_NOTLATE), ("UNLOADOK", MPC_LOADTIME_FLAG_UNLOADOK),
    ("LABELMBUFS", MPC_LOADTIME_FLAG_LABELMBUFS), ("BASE_POLICY", MPC_LOADTIME_BASE_POLICY),
  ]

  static let fields: [SessionField] = [
    .required("name", .shortText(1...127), "its short name"),
    .optional("full_name", .text, "its name for people, the short name by default"),
    .optional(
      "flags", .list(.choice(flagBits.map(\.name))), "MPC_LOADTIME_* flags, none by default"),
    .optional("conf", .address, "where its mac_policy_conf is said to be"),
    .optional("ops", .address, "where its mac_policy_ops is said to be"),
    .optional(
      "built_for", .choice(MACRelease.all.map(\.version)),
      "the release whose table it was built for, the session's by default"),
    .optional("labels", .flag, "whether it asks for a slot in the labels of objects"),
    .optional(
      "handlers", .map(.short("address", handlerFields)),
      "its functions, by the names of their operations, mpo_*"),
  ]

  private static let handlerFields: [SessionField] = [
    .optional("address", .address, "where the function is said to be"),
    .optional(
      "result", .choice(ErrnoName.all.filter { $0.darwin != nil }.map(\.name)),
      "the errno that it returns, success by default"),
  ]

  let name: String
  private let fullName: String
  private let flags: Int32
  private let address: (conf: UInt64, ops: UInt64)?
  private let builtFor: String?
  private let wantsLabels: Bool
  private let handlers: [MACHandler]

  init(_ members: SessionMembers) throws(SessionError) {
    name = members.required("name").string
    fullName = members["full_name"]?.string ?? name
    let names = members["flags"]?.elements.map(\.string) ?? []
    flags = Self.flagBits.reduce(0) { names.contains($1.name) ? $0 | $1.bit : $0 }
    switch (members["conf"], members["ops"]) {
    case (let conf?, let ops?): address = (conf.address, ops.address)
    case (nil, nil): address = nil
    case (let conf?, nil): throw conf.error("\"ops\" is needed beside it")
    case (nil, let ops?): throw ops.error("\"conf\" is needed beside it")
    }
    builtFor = members["built_for"]?.string
    wantsLabels = members["labels"]?.flag ?? false
    var handlers: [MACHandler] = []
    for (operation, value) in members["handlers"]?.members.all ?? [] {
      guard Self.operations.contains(operation) else {
        let near = NearNames.of(operation, among: Self.operations).joined(separator: " or ")
        throw value.error(
          "\"\(operation)\" is no operation of any kernel"
            + (near.isEmpty ? "" : "; did you mean \(near)?"))
      }
      handlers.append(Self.handler(operation, value))
    }
    self.handlers = handlers
  }

  /// The address alone may stand for the whole object.
  private static func handler(_ operation: String, _ value: SessionValue) -> MACHandler {
    guard case .object = value.node.content else {
      return MACHandler(operation, address: value.address)
    }
    let error = value.members["result"].flatMap { ErrnoName.named($0.string)?.darwin } ?? 0
    return MACHandler(operation, address: value.members["address"]?.address) { _ in error }
  }

  /// Every operation that any kernel ever had.
  private static let operations = Set(
    MACTable.all.flatMap { $0.slots.filter { !$0.isReserved }.map(\.name) })

  /// Registers the policy in a kernel.
  func register(in framework: MACFramework) -> StepOutcome {
    do throws(MACError) {
      let table = builtFor.flatMap { MACTable.named($0) } ?? framework.table
      let policy = try MACPolicy(
        name: name, fullName: fullName, table: table, flags: flags, wantsLabels: wantsLabels,
        handlers: handlers, address: address)
      let registration = try framework.register(policy)
      return .result(
        registration.status,
        registration.handle.map { "\(name) has place \($0)" } ?? name)
    } catch {
      return .failed(error.message, name)
    }
  }
}
