// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import KemonPluginHost
import KemonText

/// The plugins' configurations: the file, then what options set.
enum PluginConfiguration {
  /// What plugins get in a run that names neither a session nor a configuration.
  static let embedded = """
    {"kext-guard": {"deny": [{"id": "com.mandiant.monitor", "reason": "not on this machine"}]}}
    """

  /// Reads the configuration that the options name.
  ///
  /// - Throws: an exit code, after saying what is wrong and where.
  static func read(
    _ options: PluginOptions, _ output: EventOutputOptions?
  ) throws -> (JSONValue, ConfigurationPlaces?) {
    let file = try options.configurationFile.map(read(file:))
    var configuration = file?.configurations ?? .object([:])
    for setting in options.settings { try apply(setting, to: &configuration) }
    if let dialect = output?.dialect {
      try set(.string(dialect.rawValue), at: "event-log.dialect", in: &configuration)
    }
    if let format = output?.output, format != .none {
      try set(.string(format.rawValue), at: "event-log.format", in: &configuration)
    }
    return (configuration, file?.places)
  }

  /// The plugins' configurations in a file.
  ///
  /// - Throws: an exit code, after saying what is wrong and where.
  static func read(
    file: String
  ) throws -> (configurations: JSONValue, places: ConfigurationPlaces) {
    guard let bytes = FileManager.default.contents(atPath: file) else {
      Console.error(
        "\(file): cannot be read; needed is a JSON file with the plugins' configurations")
      throw ExitStatus.inputMissing
    }
    do {
      let value = try JSONValue(parsing: [UInt8](bytes))
      let places = try ConfigurationPlaces(file: file, bytes: [UInt8](bytes))
      guard value.members != nil else {
        Console.error("\(file): found \(value.typeName), needed is an object with \"plugins\"")
        throw ExitStatus.configuration
      }
      for member in value.members ?? [:] where member.key != "plugins" {
        Console.error("\(file): \"\(member.key)\" is unknown; needed is \"plugins\"")
        throw ExitStatus.configuration
      }
      let plugins = value.value(at: "plugins") ?? .object([:])
      guard plugins.members != nil else {
        Console.error(
          "\(file): \"plugins\": found \(plugins.typeName), needed is an object of plugins' names")
        throw ExitStatus.configuration
      }
      return (plugins, places)
    } catch let error as JSONError {
      Console.error("\(file): \(error)")
      throw ExitStatus.configuration
    }
  }

  /// Applies `plugin.path=value`: the value is JSON, or a text as it stands.
  private static func apply(_ setting: String, to configuration: inout JSONValue) throws {
    guard let equals = setting.firstIndex(of: "="), setting[..<equals].contains(".") else {
      throw ValidationError("--set \(setting): needed is plugin.path=value")
    }
    let text = String(setting[setting.index(after: equals)...])
    let value = (try? JSONValue(parsing: text)) ?? .string(text)
    try set(value, at: String(setting[..<equals]), in: &configuration)
  }

  private static func set(
    _ value: JSONValue, at path: String, in configuration: inout JSONValue
  ) throws {
    do throws(JSONError) {
      try configuration.set(value, at: path)
    } catch {
      throw ValidationError("--set \(path): \(error.message)")
    }
  }
}
