// SPDX-License-Identifier: Apache-2.0

import KemonPluginKit

extension TextFormatter {
  /// The original blocked every policy; here a line tells when this one is.
  mutating func policyPre(_ record: RecordView, _ line: inout LineBuffer) {
    guard let policy = record.view(of: kemon_mac_policy.self) else { return unknown(record, &line) }
    line.append(Dialect.prefix)
    line.append("In ")
    line.append(dialect.the)
    line.append("mac_policy_register callback handler. ")
    if record.verdict == .deny {
      line.append(dialect == .year2018 ? "Blocking!" : "<blocking it!>")
      blockedPolicy = record.event.pointee.corr
    }
    line.append("\n")
    append(policy, isListed: false, &line)
  }

  /// A policy of the kernel's list.
  func policyListed(_ record: RecordView, _ line: inout LineBuffer) {
    guard let policy = record.view(of: kemon_mac_policy.self) else { return unknown(record, &line) }
    append(policy, isListed: true, &line)
  }

  /// What came of it; of a policy that was blocked all has been said.
  mutating func policyPost(
    _ action: StaticString, _ record: RecordView, _ line: inout LineBuffer
  ) {
    guard let policy = record.view(of: kemon_mac_policy.self) else { return unknown(record, &line) }
    let corr = record.event.pointee.corr
    if corr != 0, corr == blockedPolicy {
      blockedPolicy = 0
      return
    }
    line.append(action: action, of: record)
    line.append(", status=")
    line.append(decimal: policy.status)
    line.append(", name=")
    line.append(policy.name)
    line.append(", policy mpc=")
    line.append(hex: policy.conf)
    line.append(", policy ops=")
    line.append(hex: policy.ops)
    line.append(".\n")
  }

  private func append(
    _ policy: PayloadView<kemon_mac_policy>, isListed: Bool, _ line: inout LineBuffer
  ) {
    let start = line.count
    line.append(policy: policy, dialect, isListed: isListed, withFlagNames: true)
    if isTooLong(from: start, line) {
      line.truncate(to: start)
      line.append(policy: policy, dialect, isListed: isListed, withFlagNames: false)
    }
    line.append(functionsOf: policy)
  }

  func macOperation(_ action: StaticString, _ record: RecordView, _ line: inout LineBuffer) {
    guard let operation = record.view(of: kemon_mac_op.self) else { return unknown(record, &line) }
    line.append(action: action, of: record)
    line.append(", policy=")
    line.append(operation.policy)
    line.append(", operation=")
    line.append(operation.op_name)
    line.append(outcomeOf: record)
  }
}

extension LineBuffer {
  fileprivate mutating func append(
    policy: PayloadView<kemon_mac_policy>, _ dialect: Dialect, isListed: Bool, withFlagNames: Bool
  ) {
    append(Dialect.prefix)
    append("macOS MAC policy")
    if dialect == .year2019 {
      append(" version=")
      append(decimal: policy.ops_version)
      append(", policy name")
    }
    if isListed {
      append("[")
      append(decimal: policy.index)
      append("]")
    }
    append("=")
    append(policy.name)
    append("(")
    append(policy.full_name)
    append("), load time flags=")
    append(decimal: Int32(bitPattern: policy.loadtime_flags))
    if withFlagNames {
      append("(")
      append(flagNames: policy.loadtime_flags)
      append(")")
    }
    append(", policy mpc=")
    append(hex: policy.conf)
    append(", policy ops=")
    append(hex: policy.ops)
    append(".\n")
  }

  /// A line for each function of the policy.
  fileprivate mutating func append(functionsOf policy: PayloadView<kemon_mac_policy>) {
    let addresses = policy.handlers.bytes
    var modules = policy.handler_modules.list
    for (index, operation) in policy.handler_names.list.enumerated()
    where 8 * index + 8 <= addresses.count {
      append(Dialect.prefix)
      append("      handler address: ")
      append(hex: addresses.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
      if let module = modules.next(), !module.isEmpty {
        append(", module offset: ")
        append(module)
      }
      append(", policy name: ")
      append(operation)
      append(".\n")
    }
  }

  private mutating func append(flagNames flags: UInt32) {
    guard flags != 0 else { return append("NULL") }
    guard flags <= 0xF else { return append("UNKNOWN OPTION") }
    let end = count
    for (bit, name) in Self.loadtimeFlags where flags & bit != 0 {
      if count > end { append(" | ") }
      append(name)
    }
  }

  private static let loadtimeFlags: [(UInt32, StaticString)] = [
    (1, "MPC_LOADTIME_FLAG_NOTLATE"), (2, "MPC_LOADTIME_FLAG_UNLOADOK"),
    (4, "MPC_LOADTIME_FLAG_LABELMBUFS"), (8, "MPC_LOADTIME_BASE_POLICY"),
  ]
}
