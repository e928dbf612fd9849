// SPDX-License-Identifier: Apache-2.0

/// An operation that the kernel asks MAC policies about, with its prototype.
public struct MACOperation: Sendable, Hashable {
  /// One of its parameters.
  public struct Parameter: Sendable, Hashable {
    /// The name that the kernel's header gives it.
    public let name: String
    /// Its type.
    public let type: MACType
  }

  /// The name, as in `mpo_vnode_check_open`.
  public let name: String
  /// The type of the result: `int` or `void`.
  public let result: MACType
  /// The parameters, in order.
  public let parameters: [Parameter]
  /// Its row in the generated list: the same prototype has the same row in every table.
  let row: Int

  /// Whether the slot is kept for later: the kernel never calls it.
  public var isReserved: Bool { name.hasPrefix("mpo_reserved") }

  /// How the kernel combines what several policies answer.
  public var rule: MACRule {
    switch name {
    case _ where result.name == "void": .perform
    case "mpo_priv_grant": .grant
    case "mpo_cred_check_label_update_execve": .firstTrue
    case "mpo_audit_check_preselect", "mpo_audit_check_postselect": .greatest
    default: .check
    }
  }

  /// Whether callers and functions agree: the same name, types and result.
  ///
  /// Names of parameters do not matter.
  public func isCompatible(with other: MACOperation) -> Bool {
    name == other.name && result == other.result
      && parameters.map(\.type) == other.parameters.map(\.type)
  }

  /// Whether every argument is one word.
  var isPlain: Bool { parameters.allSatisfy(\.type.isPlain) }

  /// How many words of 64 bits the arguments are.
  public var words: Int { parameters.reduce(0) { $0 + $1.type.words } }

  /// The prototype in C, without names: `int(kauth_cred_t, struct vnode *)`.
  public var signature: String {
    let types = parameters.isEmpty ? "void" : parameters.map(\.type.name).joined(separator: ", ")
    return "\(result.name)(\(types))"
  }

  /// The names of the words of the arguments; those of a structure have the names of its parts.
  var wordNames: [String] {
    parameters.flatMap { parameter in
      guard case .structure(let parts) = parameter.type.shape else { return [parameter.name] }
      return parts.map { "\(parameter.name).\($0)" }
    }
  }

  /// The types of the words of the arguments.
  var wordTypes: [String] {
    parameters.flatMap { Array(repeating: $0.type.name, count: $0.type.words) }
  }
}
