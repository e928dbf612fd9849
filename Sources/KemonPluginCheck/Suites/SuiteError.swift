// SPDX-License-Identifier: Apache-2.0

/// Why a plugin's tests cannot be run, or a new plugin cannot be begun.
public struct SuiteError: Error, CustomStringConvertible {
  /// The file or folder, what is wrong with it, and what is needed.
  public let description: String

  /// - Parameter message: what was found and what is needed.
  public init(_ file: String, _ message: String) { description = "\(file): \(message)" }
}
