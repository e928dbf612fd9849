// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// What an exit code says; the list is part of the interface.
enum ExitStatus {
  /// Finished, but the input was cut short, or parts of it were skipped because they are broken.
  static let incompleteInput = ExitCode(2)
  /// Something that was to be the same is not.
  static let expectationFailed = ExitCode(3)
  /// Events were lost although that was not allowed, or the accounts do not balance.
  static let eventsLost = ExitCode(4)
  /// A plugin that was required is not there.
  static let requiredPlugin = ExitCode(5)
  /// No running host can be reached.
  static let hostUnreachable = ExitCode(6)
  /// Data is not what it should be.
  static let badData = ExitCode(65)
  /// A file that was named cannot be opened.
  static let inputMissing = ExitCode(66)
  /// The user may not do that.
  static let noPermission = ExitCode(77)
  /// The configuration is wrong.
  static let configuration = ExitCode(78)
}
