// SPDX-License-Identifier: Apache-2.0

internal import KemonPlatform

/// Somebody begins to listen to a scope: as a driver of somebody else would.
///
/// Whatever is heard is a line of the kernel's log.
struct KauthListenStep: SessionStep {
  static let name = "kauth_listen"
  static let about =
    "Adds a listener to a scope: it logs what it hears and says what it is told to."
  static let fields: [SessionField] = [
    .required("scope", .text, "the scope, as in com.apple.kauth.fileop"),
    .required("name", .text, "what the log and the step kauth_unlisten call it"),
    .optional(
      "answer", .choice(["allow", "defer", "deny"]), "what it says to everything, defer by default"),
    .optional("quiet", .flag, "it logs nothing, false by default"),
  ]

  private let scope: String
  private let name: String
  private let answer: KauthAnswer
  private let isQuiet: Bool

  init(_ members: SessionMembers) throws(SessionError) {
    scope = members.required("scope").string
    name = members.required("name").string
    isQuiet = members["quiet"]?.flag ?? false
    switch members["answer"]?.string {
    case "allow": answer = .allow
    case "deny": answer = .deny
    default: answer = .defer
    }
  }

  func perform(in context: StepContext) -> StepOutcome {
    let records = context.model.records
    let listener = context.model.kauth.listen(to: scope) { [name, answer, isQuiet] request in
      if !isQuiet { records.log("\(name) hears \(request.text).", from: name) }
      return answer
    }
    guard let listener else { return .result(DarwinErrno.ENOMEM.rawValue) }
    context.objects.keep(listener, as: Self.key(name))
    return .done()
  }

  static func key(_ name: String) -> String { "listener \(name)" }
}

/// Somebody stops to listen.
struct KauthUnlistenStep: SessionStep {
  static let name = "kauth_unlisten"
  static let about = "Removes a listener that a step kauth_listen has added."
  static let mainField: String? = "name"
  static let fields: [SessionField] = [
    .required("name", .text, "what the step kauth_listen called it")
  ]

  private let name: String

  init(_ members: SessionMembers) throws(SessionError) {
    name = members.required("name").string
  }

  func perform(in context: StepContext) -> StepOutcome {
    let key = KauthListenStep.key(name)
    guard let listener: KauthListener = context.objects.find(key) else {
      return .result(DarwinErrno.ENOENT.rawValue)
    }
    context.model.kauth.unlisten(listener)
    context.objects.forget(key)
    return .done()
  }
}
