// SPDX-License-Identifier: Apache-2.0

/// An event as a handler sees it: a record, read in place.
///
/// It lives until the handler returns; copy out what is needed longer.
public typealias Event = RecordView

/// A declared handler; made by ``On`` and ``Observe``.
public struct Handler: Sendable {
  /// What the host takes a handler to have voted when its code threw, or took too long.
  public enum Fault: UInt16, Sendable {
    /// Nothing.
    case abstain = 0
    /// Fine.
    case allow = 1
    /// The operation fails with `EPERM`.
    case deny = 2
  }

  /// Unique in the plugin; votes and statistics carry it.
  public let name: String
  /// `"file.open"`, or a beginning: `"file.*"`, `"*"`.
  public let kind: String
  /// nil for every phase of the kinds.
  public let phase: EventPhase?
  /// A condition that the host checks before it calls.
  public let filter: String?

  let flags: UInt32
  let onFault: Fault
  let priority: Int32
  /// nil for a handler with a signature.
  let call: kemon_handler_fn?
  let target: HandlerTarget
  /// Its named arguments; nil for a handler that gets the event.
  var signature: TypedNames?
  var terms = CallTerms()
}

/// Something that declares a handler inside ``KemonPlugin/handlers``.
public protocol HandlerDeclaration {
  /// The handler that is declared.
  var handler: Handler { get }
}

/// Collects the declarations of ``KemonPlugin/handlers``; conditions and loops are allowed.
@resultBuilder
public enum HandlerBuilder {
  /// Takes one declaration.
  public static func buildExpression(_ declaration: some HandlerDeclaration) -> [Handler] {
    [declaration.handler]
  }

  /// Takes handlers that were made elsewhere.
  public static func buildExpression(_ handlers: [Handler]) -> [Handler] { handlers }

  /// Joins declarations in order.
  public static func buildBlock(_ parts: [Handler]...) -> [Handler] { parts.flatMap { $0 } }

  /// Joins what a loop declared.
  public static func buildArray(_ parts: [[Handler]]) -> [Handler] { parts.flatMap { $0 } }

  /// Takes the declarations of an `if` without `else`.
  public static func buildOptional(_ part: [Handler]?) -> [Handler] { part ?? [] }

  /// Takes the first branch of a condition.
  public static func buildEither(first part: [Handler]) -> [Handler] { part }

  /// Takes the second branch of a condition.
  public static func buildEither(second part: [Handler]) -> [Handler] { part }
}
