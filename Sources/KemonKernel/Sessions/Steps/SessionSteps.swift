// SPDX-License-Identifier: Apache-2.0

/// Everything that can happen in a session: one row a step.
enum SessionSteps {
  static let all: [any SessionStep.Type] = [
    LoadStep.self, StartStep.self, StopStep.self, UnloadStep.self,
    RegisterPolicyStep.self, UnregisterPolicyStep.self, ListPoliciesStep.self,
    LoadPolicyStep.self, WatchPoliciesStep.self, AskPoliciesStep.self, PolicyBlockingStep.self,
    OpenStep.self, CreateStep.self, WriteStep.self, AppendStep.self, CloseStep.self,
    RenameStep.self, ExchangeStep.self, LinkStep.self, DeleteStep.self, MakeDirectoryStep.self,
    ChangeModeStep.self, StatusStep.self, FileHooksStep.self,
    KauthListenStep.self, KauthUnlistenStep.self, KauthConfigStep.self, TraceStep.self,
    ForkStep.self, ExecStep.self, SpawnStep.self, ExitStep.self, KillStep.self, WaitStep.self,
    LoadLibraryStep.self, TouchPageStep.self,
    SocketStep.self, BindStep.self, ConnectStep.self, ListenStep.self, AcceptStep.self,
    SendStep.self, ReceiveStep.self, CloseSocketStep.self, DNSQueryStep.self,
    AttachFilterStep.self, DetachFilterStep.self, ShowTrafficStep.self,
  ]

  /// The member of every step's object that says who does it.
  static let actor = "as"

  /// The step of that name.
  static func named(_ name: String) -> (any SessionStep.Type)? { all.first { $0.name == name } }

  /// A field for each step: the object of a step has one of them.
  static var fields: [SessionField] { all.map { .optional($0.name, type(of: $0), $0.about) } }

  /// What the member that names a step may be.
  static func type(of step: any SessionStep.Type) -> SessionType {
    let fields =
      step.fields + [.optional(actor, .process, "who does it, the session's process by default")]
    return step.mainField.map { .short($0, fields) } ?? .object(fields)
  }
}
