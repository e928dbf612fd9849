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
    let document: SessionDocument
    do {
      document = try JSONDecoder().decode(SessionDocument.self, from: Data(json))
    } catch let error as DecodingError {
      throw SessionError(file: file, decoding: error)
    } catch {
      throw SessionError(file: file, "\(error)")
    }
    self = try document.session(file: file)
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

extension SessionError {
  /// Says where the decoder stopped, in the words of the file.
  fileprivate init(file: String, decoding error: DecodingError) {
    switch error {
    case .keyNotFound(let key, let context):
      self.init(
        file: file, path: Self.path(context.codingPath), "\"\(key.stringValue)\" is missing")
    case .typeMismatch(let type, let context):
      self.init(
        file: file, path: Self.path(context.codingPath), "needed is \(Self.words(for: type))")
    case .valueNotFound(let type, let context):
      self.init(
        file: file, path: Self.path(context.codingPath),
        "null found, needed is \(Self.words(for: type))"
      )
    case .dataCorrupted(let context):
      let underlying = context.underlyingError.map { ": \(Self.text(of: $0))" } ?? ""
      self.init(
        file: file, path: Self.path(context.codingPath), context.debugDescription + underlying)
    @unknown default:
      self.init(file: file, "\(error)")
    }
  }

  private static func text(of error: any Error) -> String {
    let details = (error as NSError).userInfo[NSDebugDescriptionErrorKey]
    return details as? String ?? "\(error)"
  }

  private static func words(for type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a text"
    case is Bool.Type: "true or false"
    case is any BinaryInteger.Type: "a whole number in the range of \(type)"
    case is any Collection.Type where "\(type)".hasPrefix("Array"): "a list"
    default: "an object"
    }
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    keys.reduce("") { path, key in
      if let index = key.intValue { return path + "[\(index)]" }
      return path.isEmpty ? key.stringValue : path + "." + key.stringValue
    }
  }
}
