// SPDX-License-Identifier: Apache-2.0

import GRDB

extension RecordingError {
  /// What SQLite says, as what it means for a recording.
  init(sqlite error: DatabaseError, _ path: String, otherwise: Code) {
    let code: Code =
      switch error.resultCode {
      case .SQLITE_FULL: .full
      case .SQLITE_CORRUPT: .damaged
      case .SQLITE_NOTADB: .notARecording
      case .SQLITE_CANTOPEN, .SQLITE_PERM: .cannotOpen
      default: otherwise
      }
    self.init(code, path, error.message ?? "SQLite error \(error.resultCode.rawValue)")
  }
}
