// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// The kernel's rule for the answers of socket filters, named `sflt`.
///
/// The newest filter is asked first; the first answer that is not 0 stands, and nobody behind it is asked. EJUSTRETURN
/// means that the filter has done the rest itself: the caller sees success, and the operation is not done.
public struct SocketFilterRule: Sendable, Equatable {
  /// The name of the rule.
  public static let name = "sflt"
  /// "I have done it": no error.
  public static let justReturn = KERNEL_EJUSTRETURN

  /// What a chain comes to.
  public enum Outcome: Sendable, Equatable {
    /// The operation goes on.
    case proceed
    /// The operation is left to a filter, and the caller sees success.
    case swallowed
    /// The operation fails with this number of Darwin's.
    case failed(Int32)
  }

  private var answer: Int32 = 0

  /// Begins with nobody asked.
  public init() {}

  /// Takes the next filter's answer; false when the rest of the chain is not asked.
  public mutating func take(_ answer: Int32) -> Bool {
    self.answer = kernel_sflt_join(self.answer, answer)
    return self.answer == 0
  }

  /// What the answers so far come to.
  public var outcome: Outcome {
    switch answer {
    case 0: .proceed
    case Self.justReturn: .swallowed
    default: .failed(answer)
    }
  }

  /// What a whole chain comes to.
  ///
  /// - Parameter answers: of all filters, newest first.
  public static func combine(_ answers: some Sequence<Int32>) -> Outcome {
    var rule = SocketFilterRule()
    for answer in answers where !rule.take(answer) { break }
    return rule.outcome
  }
}
