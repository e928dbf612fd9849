// SPDX-License-Identifier: Apache-2.0

import CKemonPlugin.Worker
import KemonText

/// What a host tells a worker first.
struct WorkerHello {
  let mode: PluginMode
  let isMonitoring: Bool
  let id: UInt32
  let name: String
  /// Where the plugin was found, for messages.
  let file: String
  let configuration: JSONValue
  let lanes: Int
  let transport: WorkerTransport
  /// The capabilities that it has.
  let grants: [String]
  let limits: WorkerLimits
  /// The kernel whose operations handlers may name; nil when none runs.
  let kernel: String?
  /// What records are made of, for those who do not know.
  let schema: JSONValue?

  init(
    mode: PluginMode, isMonitoring: Bool, id: UInt32, name: String, file: String,
    configuration: JSONValue, lanes: Int, transport: WorkerTransport, grants: [String],
    limits: WorkerLimits, kernel: String?, schema: JSONValue?
  ) {
    self.mode = mode
    self.isMonitoring = isMonitoring
    self.id = id
    self.name = name
    self.file = file
    self.configuration = configuration
    self.lanes = lanes
    self.transport = transport
    self.grants = grants
    self.limits = limits
    self.schema = schema
    self.kernel = kernel
  }

  var json: JSONValue {
    .object([
      "protocol": .integer(Int64(KEMON_WORKER_PROTOCOL)), "mode": .integer(Int64(mode.rawValue)),
      "monitor": .bool(isMonitoring), "plugin_id": .integer(Int64(id)), "file": .string(file),
      "config": configuration, "lanes": .integer(Int64(lanes)),
      "transport": .string(transport.rawValue),
      "grants": .array(grants.map { .string($0) }), "schema": schema ?? .null,
      "kernel": kernel.map { .string($0) } ?? .null,
      "name": .string(name), "host": .string(HostServices.version),
      "limits": limits.json,
    ])
  }

  /// Reads it in the worker.
  init(_ body: JSONValue) throws(WorkerFailure) {
    func number(_ path: String) throws(WorkerFailure) -> Int64 {
      guard let value = body.value(at: path)?.integer else {
        throw WorkerFailure("the hello has no number \"\(path)\"", status: KEMON_E_INVALID)
      }
      return value
    }
    let version = try number("protocol")
    guard version == Int64(KEMON_WORKER_PROTOCOL) else {
      throw WorkerFailure(
        "the host speaks protocol \(version), this worker \(KEMON_WORKER_PROTOCOL)",
        status: KEMON_E_UNSUPPORTED)
    }
    guard let mode = PluginMode(rawValue: UInt32(clamping: try number("mode"))),
      let transport = WorkerTransport(rawValue: body.value(at: "transport")?.string ?? "")
    else { throw WorkerFailure("the hello has no mode or no transport", status: KEMON_E_INVALID) }
    self.mode = mode
    self.transport = transport
    isMonitoring = body.value(at: "monitor")?.bool ?? false
    id = UInt32(clamping: try number("plugin_id"))
    file = body.value(at: "file")?.string ?? ""
    configuration = body.value(at: "config") ?? .object([:])
    lanes = Int(clamping: try number("lanes"))
    kernel = body.value(at: "kernel")?.string
    grants = body.value(at: "grants")?.elements?.compactMap(\.string) ?? []
    limits = WorkerLimits(body.value(at: "limits") ?? .null)
    name = body.value(at: "name")?.string ?? ""
    schema = nil
  }
}
