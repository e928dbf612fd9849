// SPDX-License-Identifier: Apache-2.0

internal import Foundation

extension Session {
  /// Reads a session.
  ///
  /// - Parameters:
  ///   - json: the text of the file.
  ///   - file: its name for errors.
  /// - Throws: where the text is not a session, and what is needed there.
  public init(json: [UInt8], file: String) throws(SessionError) {
    self = try SessionReader(SessionText(json, file: file)).session()
  }

  /// Reads a session from a file.
  ///
  /// - Throws: that the file cannot be read, or where its text is not a session.
  public init(contentsOf path: String) throws(SessionError) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      let reason =
        access(path, R_OK) == 0 ? error.localizedDescription : String(cString: strerror(errno))
      throw SessionError(file: path, "cannot be read: \(reason)", isUnreadable: true)
    }
    try self.init(json: [UInt8](data), file: path)
  }
}
