// SPDX-License-Identifier: Apache-2.0

public import KemonPluginKit

/// Writes every event to standard output: as the lines of the 2018 Kemon, or as JSON lines.
final class EventLog: KemonPlugin {
  private let writer: LineWriter

  init(host: Host) throws {
    let config = host.config
    try config.allowMembers(["format", "dialect", "dump"], of: "")
    let dialect = try Self.dialect(config)
    let width = try Self.width(config)
    guard let output = host.output else {
      throw ConfigError("", "the host has no extension \(KEMON_EXT_OUTPUT)")
    }
    switch try config.string("format") ?? "text" {
    case "text": writer = LineWriter(output, dialect: dialect, width: width)
    case "jsonl": writer = LineWriter(output, jsonLinesWith: host.names, host.schema)
    case let other: throw ConfigError("format", "must be \"text\" or \"jsonl\", not \"\(other)\"")
    }
  }

  private static func width(_ config: Config) throws(ConfigError) -> HexDump {
    let name = try config.string("dump") ?? HexDump.bytes.rawValue
    guard let width = HexDump(rawValue: name) else {
      let known = HexDump.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
      throw ConfigError("dump", "must be one of \(known), not \"\(name)\"")
    }
    return width
  }

  /// A year may be written as a text or as a number.
  private static func dialect(_ config: Config) throws(ConfigError) -> Dialect {
    let name: String
    if let number = (try? config.integer("dialect")).flatMap({ $0 }) {
      name = String(number)
    } else {
      name = try config.string("dialect") ?? Dialect.year2018.rawValue
    }
    guard let dialect = Dialect(rawValue: name) else {
      throw ConfigError("dialect", "must be \"2018\" or \"2019\", not \"\(name)\"")
    }
    return dialect
  }

  var handlers: [Handler] {
    Observe("*", name: "write") { [writer] event in writer.write(event) }
  }

  func stop() { writer.finish() }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
/// The entry: what the host calls first.
@c(kemon_plugin_v1)
public func kemon_plugin_v1(
  _ hello: UnsafeMutablePointer<kemon_hello>?
) -> UnsafePointer<kemon_plugin>? { exportPlugin(EventLog.self, hello) }
