// SPDX-License-Identifier: Apache-2.0

/// The plugin's configuration, read by path: `"deny[0].id"`; `""` is the whole of it.
///
/// A value that is absent gives nil; one of the wrong type is an error that names its path. Read it in the plugin's
/// `init` or `start`, not in handlers.
public struct Config {
  let host: UnsafePointer<kemon_host>
  private let table: UnsafePointer<kemon_ext_config>?

  init(host: UnsafePointer<kemon_host>) {
    self.host = host
    table = host.pointee.ext(host, KEMON_EXT_CONFIG)?
      .assumingMemoryBound(to: kemon_ext_config.self)
  }

  /// The text at a path.
  public func string(_ path: String) throws(ConfigError) -> String? {
    let table = try extensionTable()
    if let text = table.pointee.string(host, path) { return String(cString: text) }
    guard contains(path, table) else { return nil }
    throw ConfigError(path, "must be a string")
  }

  /// The integer at a path.
  public func integer(_ path: String) throws(ConfigError) -> Int64? {
    let table = try extensionTable()
    var value: Int64 = 0
    switch table.pointee.integer(host, path, &value) {
    case KEMON_OK: return value
    case KEMON_E_NOTFOUND: return nil
    default: throw ConfigError(path, "must be an integer")
    }
  }

  /// The truth value at a path.
  public func boolean(_ path: String) throws(ConfigError) -> Bool? {
    let table = try extensionTable()
    var value: Int32 = 0
    switch table.pointee.boolean(host, path, &value) {
    case KEMON_OK: return value != 0
    case KEMON_E_NOTFOUND: return nil
    default: throw ConfigError(path, "must be true or false")
    }
  }

  /// The number of elements of the array at a path; nil when it is absent.
  public func count(_ path: String) throws(ConfigError) -> Int? {
    let table = try extensionTable()
    let count = table.pointee.count(host, path)
    guard count >= 0 else {
      guard contains(path, table) else { return nil }
      throw ConfigError(path, "must be an array")
    }
    // An object has a count too, but no first element.
    guard count == 0 || contains("\(path)[0]", table) else {
      throw ConfigError(path, "must be an array")
    }
    return Int(count)
  }

  /// The texts of the array at a path; nil when it is absent.
  public func strings(_ path: String) throws(ConfigError) -> [String]? {
    try elements(path) { (element) throws(ConfigError) in try string(element) }
  }

  /// The integers of the array at a path; nil when it is absent.
  public func integers(_ path: String) throws(ConfigError) -> [Int64]? {
    try elements(path) { (element) throws(ConfigError) in try integer(element) }
  }

  /// Checks that the object at a path has no members but these, so that a misspelt name is not silently nothing.
  ///
  /// - Parameters:
  ///   - names: all members that the plugin knows.
  ///   - path: must be an object when it is there; absent is fine.
  public func allowMembers(_ names: [String], of path: String) throws(ConfigError) {
    let table = try extensionTable()
    let count = table.pointee.count(host, path)
    guard count >= 0 else {
      guard contains(path, table) else { return }
      throw ConfigError(path, "must be an object")
    }
    let prefix = path.isEmpty ? "" : path + "."
    guard count == names.filter({ contains(prefix + $0, table) }).count else {
      throw ConfigError(path, "may only have the members \(names.joined(separator: ", "))")
    }
  }

  private func elements<Element>(
    _ path: String, _ element: (String) throws(ConfigError) -> Element?
  ) throws(ConfigError) -> [Element]? {
    guard let count = try count(path) else { return nil }
    var elements: [Element] = []
    for index in 0..<count {
      if let value = try element("\(path)[\(index)]") { elements.append(value) }
    }
    return elements
  }

  private func contains(_ path: String, _ table: UnsafePointer<kemon_ext_config>) -> Bool {
    var ignored: Int64 = 0
    return table.pointee.integer(host, path, &ignored) != KEMON_E_NOTFOUND
  }

  private func extensionTable() throws(ConfigError) -> UnsafePointer<kemon_ext_config> {
    guard let table else {
      throw ConfigError("", "this host has no extension \(KEMON_EXT_CONFIG)")
    }
    return table
  }
}

/// What is wrong with a configuration, and where.
public struct ConfigError: Error, Equatable, CustomStringConvertible {
  /// The path of the offending value, empty for the whole configuration.
  public let path: String
  /// What is needed.
  public let message: String

  /// Makes an error; plugins throw it from their `init` for rules of their own.
  public init(_ path: String, _ message: String) {
    self.path = path
    self.message = message
  }

  /// The path and the message.
  public var description: String {
    path.isEmpty ? "configuration: \(message)" : "\(path): \(message)"
  }
}
