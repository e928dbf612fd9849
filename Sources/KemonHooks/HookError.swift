// SPDX-License-Identifier: Apache-2.0

/// Why a hook could not be put in or taken out; nothing has changed then.
public struct HookError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The rule that stands in the way.
  public enum Code: Sendable {
    /// Hooks exist for x86-64 on Linux only.
    case unsupportedProcessor
    /// Nothing is known about where the function ends.
    case unknownExtent
    /// The address is not inside a readable, executable mapping that may be changed.
    case notCode
    /// Bytes that the disassembler does not know.
    case undecodable
    /// A call-site hook was asked for where no near call stands.
    case notACall
    /// The function has not enough bytes for the jump that a hook puts there.
    case tooShort
    /// A jump of the function leads between the instructions that would be replaced.
    case branchIntoWindow
    /// An instruction means something else when it is moved, and there is no way to write it anew.
    case positionDependent
    /// No memory is free near enough, or an operand is too far away from there.
    case outOfReach
    /// A hook of another kind stands there.
    case alreadyHooked
    /// The change is only safe while no other thread runs there, and the caller did not promise that.
    case needsQuiescence
    /// A handler wants to take out the hook that called it, and would wait for itself.
    case insideHandler
    /// Somebody else has changed the hooked bytes.
    case changed
    /// The system refused; the message has its reason.
    case system
    /// The other threads could not be stopped in time; it may work later.
    case busy
    /// No such library, function or hook.
    case notFound
    /// A prototype that can not be served here; the message says why.
    case unsupportedPrototype
  }

  /// The rule that stands in the way.
  public let code: Code
  /// The instruction or function in question.
  public let address: UInt
  /// What was found and what is needed.
  public let message: String

  init(_ code: Code, at address: UInt, _ message: String) {
    self.code = code
    self.address = address
    self.message = message
  }

  /// The message with its place.
  public var description: String { "0x\(String(address, radix: 16)): \(message)" }
}
