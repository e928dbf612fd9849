// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import Synchronization

// Unchecked: nothing changes after init but an atomic.
/// A handler with named arguments: makes the calls of a plugin's function out of records.
///
/// Must outlive every call: ``context`` points into it.
final class TypedHandler: @unchecked Sendable {
  /// The function and the context for the bus.
  static let function: kemon_handler_fn = { context, event, verdict in
    guard let context, let event else { return KEMON_E_INVALID }
    return context.assumingMemoryBound(to: Code.self).pointee.call(event, verdict)
  }
  var context: UnsafeMutableRawPointer { UnsafeMutableRawPointer(mutating: code) }

  let signature: TypedSignature
  /// How the function is called.
  var lane: CallLane { CallLayout(signature, hasVerdict: true).lane }
  private let code: UnsafeMutablePointer<Code>
  private let memory: [CallPlanMemory]
  private let operations: OperationPlans?
  private let hasComplained = Atomic<Bool>(false)
  private let complain: @Sendable (String) -> Void

  /// What the context points at.
  private struct Code {
    let target: CallPlan.Target
    /// A plan for each number of a kind, or null.
    let plans: UnsafeMutablePointer<UnsafePointer<CallPlan>?>
    /// For handlers of operations, whose prototypes the records tell.
    let operations: Unmanaged<OperationPlans>?
    let handler: Unmanaged<TypedHandler>

    @inline(__always)
    func call(
      _ event: UnsafePointer<kemon_event>, _ verdict: UnsafeMutablePointer<kemon_verdict>?
    ) -> kemon_status {
      let kind = Int(event.pointee.kind)
      guard kind < EventKind.limit else { return KEMON_E_INVALID }
      guard let plan = plans[kind] else { return callOperation(event, verdict) }
      return plan.pointee.call(target, event, verdict) ?? refuse(event)
    }

    @inline(never)
    private func callOperation(
      _ event: UnsafePointer<kemon_event>, _ verdict: UnsafeMutablePointer<kemon_verdict>?
    ) -> kemon_status {
      guard let operations else { return KEMON_E_INVALID }
      return operations._withUnsafeGuaranteedRef { $0.call(target, event, verdict) }
        ?? refuse(event)
    }

    @inline(never)
    private func refuse(_ event: UnsafePointer<kemon_event>) -> kemon_status {
      handler._withUnsafeGuaranteedRef { $0.complain(about: event) }
      return KEMON_E_UNSUPPORTED
    }
  }

  /// Makes the calls for kinds.
  ///
  /// - Parameters:
  ///   - schemas: the named values of what it is called for.
  ///   - complain: takes a line for the operator, once.
  /// - Throws: what does not match.
  init(
    _ signature: TypedSignature, function: UnsafeRawPointer, context: UnsafeMutableRawPointer?,
    schemas: TypedSchemas, complain: @escaping @Sendable (String) -> Void
  ) throws(SignatureError) {
    self.signature = signature
    self.complain = complain
    let plans = UnsafeMutablePointer<UnsafePointer<CallPlan>?>.allocate(capacity: EventKind.limit)
    plans.initialize(repeating: nil, count: EventKind.limit)
    var memory: [CallPlanMemory] = []
    do throws(SignatureError) {
      for (kind, sources) in try schemas.resolve(signature) {
        let plan = CallPlanMemory(signature, from: sources)
        memory.append(plan)
        plans[Int(kind.rawValue)] = plan.plan
      }
    } catch {
      plans.deallocate()
      throw error
    }
    self.memory = memory
    operations = schemas.isOfOperations ? OperationPlans(signature) : nil
    code = .allocate(capacity: 1)
    code.initialize(
      to: Code(
        target: CallPlan.Target(function: function, context: context), plans: plans,
        operations: operations.map(Unmanaged.passUnretained),
        handler: Unmanaged.passUnretained(self)))
  }

  /// Whether it can be called for events of a kind.
  func takes(_ kind: EventKind) -> Bool {
    operations != nil || code.pointee.plans[Int(kind.rawValue)] != nil
  }

  deinit {
    code.pointee.plans.deallocate()
    code.deallocate()
  }

  /// Tells the operator why a function was not called: the first time, later ones are only counted as faults.
  private func complain(about event: UnsafePointer<kemon_event>) {
    let isFirst = hasComplained.exchange(true, ordering: .relaxed) == false
    guard isFirst else { return }
    if let failure = operations?.failure {
      complain("signature \"\(signature.text)\": \(failure.message)")
    } else if let plan = code.pointee.plans[Int(event.pointee.kind)],
      let number = plan.pointee.missingField(in: event)
    {
      let kind = EventKind(rawValue: event.pointee.kind).info?.name ?? "this kind"
      let name = signature.fields[number].name
      complain("an event of \(kind) comes without \"\(name)\": its producer is too old")
    } else {
      complain("an event comes without what signature \"\(signature.text)\" needs")
    }
  }
}
