// SPDX-License-Identifier: Apache-2.0

extension PolicyCheck {
  /// The policies of a kernel.
  init(asking mac: MACFramework) {
    let slots = Operation.names.map { mac.slot(named: $0) }
    self.init(
      knows: { mac.slot(named: $0) != nil },
      ask: { operation, arguments in
        mac.hasPolicies ? mac.check(slots[operation.number], arguments) : 0
      })
  }
}
