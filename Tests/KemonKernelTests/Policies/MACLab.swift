// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonBus
import KemonEvents
import KemonTestSupport
import Testing

@testable import KemonKernel

/// A MAC framework with a ring, and plugins that are closures.
final class MACLab {
  let framework: MACFramework
  let dispatcher: Dispatcher
  let ring = EventRing()
  private let subscription: Subscription
  private var plugins: [MACPlugin] = []

  init(_ release: String = "10.13.6") throws {
    dispatcher = Dispatcher(ring: ring)
    subscription = try ring.subscribe(named: "test", overflow: .drop)
    let release = try #require(KernelRelease.named(release))
    framework = try MACFramework(
      release: release, records: KernelRecords(dispatcher: dispatcher))
  }

  /// Adds a plugin that is called for these kinds.
  @discardableResult
  func plugin(
    _ kinds: [Int], _ body: @escaping (RecordView, UnsafeMutablePointer<kemon_verdict>) -> Void
  ) -> [HandlerToken] {
    let plugin = MACPlugin(body)
    plugins.append(plugin)
    return dispatcher.add([plugin.handler(kinds)])
  }

  /// Adds a plugin that denies the registration of these policies.
  func block(_ names: [String], errno: Int32 = 0) {
    plugin([KEMON_KIND_MAC_POLICY_REGISTER_PRE]) { record, verdict in
      let name = record.view(of: kemon_mac_policy.self)?.name.string ?? ""
      if names.contains(name) { _ = kemon_deny(verdict, errno, "blocked by the test") }
    }
  }

  /// Copies the records that have come since the last time.
  func records() -> [MACRecord] {
    var records: [MACRecord] = []
    while subscription.drain({ record in
      records.append(MACRecord(record))
      return true
    }) > 0 {}
    return records
  }

  /// A policy for the framework's own table.
  func policy(
    _ name: String?, flags: Int32 = 0, labels: Bool = false, _ handlers: [MACHandler]? = []
  ) throws -> MACPolicy {
    try MACPolicy(
      name: name, fullName: name.map { "\($0) policy" }, table: framework.table, flags: flags,
      wantsLabels: labels, handlers: handlers)
  }

  /// Registers such a policy and returns its handle.
  @discardableResult
  func register(
    _ name: String, flags: Int32 = 0, _ handlers: [MACHandler] = []
  ) throws -> Int {
    let registration = try framework.register(try policy(name, flags: flags, handlers))
    return try #require(registration.handle, "\(name): errno \(registration.status)")
  }
}

/// A plugin that is a closure.
final class MACPlugin {
  private let body: (RecordView, UnsafeMutablePointer<kemon_verdict>) -> Void

  init(_ body: @escaping (RecordView, UnsafeMutablePointer<kemon_verdict>) -> Void) {
    self.body = body
  }

  func handler(_ kinds: [Int]) -> Handler {
    Handler(
      name: "closure", pluginID: 7, pluginName: "test", kinds: kinds.map { EventKind($0) },
      function: { context, event, verdict in
        guard let context, let event, let verdict else { return KEMON_E_INVALID }
        let plugin = Unmanaged<MACPlugin>.fromOpaque(context).takeUnretainedValue()
        plugin.body(RecordView(trusted: event), verdict)
        return KEMON_OK
      }, context: Unmanaged.passUnretained(self).toOpaque())
  }
}

/// A record of the MAC family, copied.
struct MACRecord: Equatable {
  let kind: String
  let phase: EventPhase
  let corr: UInt64
  let result: Int32
  let verdict: VerdictAction
  var name = ""
  var status: Int32 = 0
  var text = ""
  var operation = ""
  var words: [UInt64] = []
  var argumentNames: [String] = []
  var value: Int64 = 0

  init(_ record: RecordView) {
    kind = record.kind.info?.name ?? "?"
    phase = record.phase
    corr = record.event.pointee.corr
    result = record.event.pointee.result
    verdict = record.verdict
    if kind.hasPrefix("mac.policy"), let policy = record.view(of: kemon_mac_policy.self) {
      name = policy.name.string
      status = policy.status
    }
    if kind == "mac.op", let call = record.view(of: kemon_mac_op.self) {
      name = call.policy.string
      operation = call.op_name.string
      argumentNames = call.argument_names.list.map(\.string)
      value = call.value
      let bytes = call.arguments.bytes
      words = stride(from: 0, to: bytes.count, by: 8).map {
        bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self)
      }
    }
    if kind == "kernel.log", let line = record.view(of: kemon_kernel_log.self) {
      text = line.text.string
    }
  }
}

/// The rows of a table of facts, by the names of its columns.
func facts(_ name: String) throws -> [[String: String]] {
  let text = try String(contentsOf: Checkout.fixture("Facts/\(name)"), encoding: .utf8)
  let lines = text.split(separator: "\n").map { line in
    line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
  }
  let header = try #require(lines.first)
  return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(header, $0)) }
}
