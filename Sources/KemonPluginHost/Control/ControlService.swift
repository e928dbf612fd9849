// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import KemonText

/// Answers requests for a host: one line of JSON for another, without any socket.
struct ControlService {
  /// The version of the protocol; larger when something changes that clients must know.
  static let version = 1

  private let host: PluginHost

  init(_ host: PluginHost) { self.host = host }

  /// Does what a line asks for.
  ///
  /// - Returns: the answer, without a newline.
  func answer(_ line: [UInt8]) -> String {
    do throws(ControlRefusal) {
      var members = try perform(try ControlRequest(parsing: line))
      members["ok"] = .bool(true)
      return JSONValue.object(members).text
    } catch {
      return Self.refusal(error)
    }
  }

  static func refusal(_ refusal: ControlRefusal) -> String {
    JSONValue.object([
      "ok": .bool(false), "rule": .string(refusal.rule), "message": .string(refusal.message),
    ]).text
  }

  private func perform(_ request: ControlRequest) throws(ControlRefusal) -> [String: JSONValue] {
    do throws(PluginProblem) {
      switch request {
      case .version:
        return [
          "protocol": .integer(Int64(Self.version)), "host": .string(HostServices.name),
          "version": .string(HostServices.version), "pid": .integer(Int64(getpid())),
        ]
      case .list:
        let statistics = host.handlerStatistics
        return ["plugins": .array(host.plugins.map { Self.describe($0, statistics) })]
      case .reload(let name, let configuration, let trialEvents):
        let report = try host.reload(
          name, configuration: configuration, trialEvents: trialEvents)
        return [
          "plugin": describe(report.plugin),
          "previous": .object([
            "generation": .integer(Int64(report.previous.generation)),
            "version": .string(report.previous.version),
            "sha256": .string(report.previous.sha256),
          ]),
          "reuses_code": .bool(report.reusesCode),
          "state_bytes": report.stateBytes.map { .integer(Int64($0)) } ?? .null,
        ]
      case .reconfigure(let name, let configuration):
        try host.reconfigure(name, configuration)
        return describe(name)
      case .enable(let name):
        try host.setEnabled(true, name)
        return describe(name)
      case .disable(let name):
        try host.setEnabled(false, name)
        return describe(name)
      case .setMode(let name, let mode):
        try host.setMode(mode, name)
        return describe(name)
      case .reset(let name):
        try host.resetStrikes(name)
        return describe(name)
      }
    } catch {
      throw ControlRefusal(error)
    }
  }

  private func describe(_ name: String) -> [String: JSONValue] {
    host.plugins.last { $0.name == name }.map { ["plugin": describe($0)] } ?? [:]
  }

  private func describe(_ plugin: PluginInfo) -> JSONValue {
    Self.describe(plugin, host.handlerStatistics)
  }

  private static func describe(
    _ plugin: PluginInfo, _ statistics: [HandlerStatistics]
  ) -> JSONValue {
    let mine = statistics.filter { $0.pluginID == plugin.id }
    let handlers = plugin.handlers.map { handler -> JSONValue in
      let counts = mine.last { $0.name == handler.name }
      let number = { (value: UInt64?) in JSONValue.integer(Int64(clamping: value ?? 0)) }
      return .object([
        "name": .string(handler.name), "events": .string(handler.pattern),
        "role": .string(handler.role.rawValue), "calls": number(counts?.calls),
        "denies": number(counts?.denies), "would_deny": number(counts?.wouldDenies),
        "faults": number(counts?.faults), "timeouts": number(counts?.timeouts),
        "strikes": number(counts?.standing?.strikes),
        "quarantined": .bool(counts?.standing?.isQuarantined ?? false),
      ])
    }
    return .object([
      "name": .string(plugin.name), "id": .integer(Int64(plugin.id)),
      "generation": .integer(Int64(plugin.generation)), "version": .string(plugin.version),
      "state": .string(plugin.state.rawValue), "mode": .string(plugin.mode.rawValue),
      "enabled": .bool(plugin.isEnabled), "file": .string(plugin.file),
      "sha256": .string(plugin.sha256),
      "trial": plugin.trial.map { .integer(Int64($0)) } ?? .null,
      "handlers": .array(handlers),
    ])
  }
}
