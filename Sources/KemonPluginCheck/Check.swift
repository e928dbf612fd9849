// SPDX-License-Identifier: Apache-2.0

/// Something that a good plugin does, and the way to find out.
///
/// A check runs in a process of its own: whatever the plugin does there, harms nobody.
public struct Check: Sendable {
  /// What a check is about.
  public enum Group: String, Sendable, CaseIterable {
    /// The file as it is, without running any of its code.
    case `static`
    /// Mapping the library and asking its entry.
    case load
    /// Making, starting, stopping and destroying instances.
    case lifecycle
    /// What a plugin is told by its operator.
    case config
    /// The rules of the headers.
    case contract
    /// Events that are possible, but rare.
    case robustness
    /// What answers may depend on.
    case semantics
    /// What an event costs.
    case perf
    /// The rules of plugins that are programs; the other groups are for libraries.
    case program
  }

  /// The rule's stable id, as in `contract.const`: what scripts compare.
  public let id: String
  /// What is wanted, in a sentence.
  public let title: String
  /// Checks that must have passed: this one would only repeat what they say.
  public let needs: [String]
  let body: @Sendable (Subject) throws(Finding) -> String?

  /// The group, which the id begins with.
  public var group: Group {
    Group(rawValue: String(id.prefix { $0 != "." })) ?? .contract
  }

  /// - Parameter body: returns what is worth knowing when all is well.
  init(
    _ id: String, _ title: String, needs: [String] = [],
    _ body: @escaping @Sendable (Subject) throws(Finding) -> String?
  ) {
    self.id = id
    self.title = title
    self.needs = needs
    self.body = body
  }
}

/// Why a check did not pass.
enum Finding: Error {
  /// The plugin breaks the rule: what was found, and what is needed.
  case failed(String)
  /// The rule does not apply to this plugin.
  case skipped(String)
}
