// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Testing

@testable import KemonKernel

extension OneKernel {
  /// A plugin that dies, fails or is late has voted what it declared: for every family, on the model's state.
  @Suite struct FamilyFaultTests {
    @Test(arguments: FamilyOperation.all)
    func `what a plugin without an answer declared is what happens`(
      _ operation: FamilyOperation
    ) throws {
      let ring = EventRing()
      let dispatcher = Dispatcher(ring: ring)
      let subscription = try ring.subscribe(named: "test", overflow: .drop)
      let model = try KernelModel(dispatcher: dispatcher)
      for fault in FamilyFault.allCases {
        for outcome in [VerdictAction.deny, .allow, .abstain] {
          let happened = try run(operation, on: model, dispatcher, fault, declaring: outcome)
          #expect(happened == (outcome != .deny), "\(fault) \(outcome)")
          let asked = drain(subscription).filter {
            $0.kind == operation.kind && $0.phase == .pre
          }
          #expect(asked.last?.verdict == outcome, "\(fault)")
        }
      }
      try model.close()
    }

    /// Lets the operation happen on a new machine while a plugin is asked about it in vain.
    private func run(
      _ operation: FamilyOperation, on model: KernelModel, _ dispatcher: Dispatcher,
      _ fault: FamilyFault, declaring outcome: VerdictAction
    ) throws -> Bool {
      let kind = try #require(EventKind.named(operation.kind, phase: .pre))
      // The other outcome is the one that must not count.
      let other: VerdictAction = outcome == .deny ? .allow : .deny
      let status = FaultStatus(fault.status)
      let handler = Handler(
        name: "broken", pluginID: 7, pluginName: "test", kinds: [kind],
        onFault: fault.isLate ? other : outcome, onTimeout: fault.isLate ? outcome : other,
        isStandIn: fault != .error,
        function: { context, _, _ in
          guard let context else { return KEMON_E_INVALID }
          return Unmanaged<FaultStatus>.fromOpaque(context).takeUnretainedValue().status
        }, context: Unmanaged.passUnretained(status).toOpaque())
      let session = try session(kext("driver"), load: "[]")
      let result = try model.restarted(with: session.kexts) {
        Result {
          // Only root may ask for kexts.
          Lane.current.process = process(59, "kextd", uid: 0)
          defer { Lane.current.process = nil }
          try operation.prepare(model)
          let tokens = dispatcher.add([handler])
          // What is denied may throw; only what has happened counts.
          _ = try? operation.perform(model)
          dispatcher.remove(tokens)
          return try operation.hasHappened(model)
        }
      }
      return try withExtendedLifetime(status) { try result.get() }
    }
  }
}

/// What the broken handler returns.
private final class FaultStatus: Sendable {
  let status: kemon_status

  init(_ status: kemon_status) { self.status = status }
}
