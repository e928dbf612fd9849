// SPDX-License-Identifier: Apache-2.0

import KemonFFI

// Unchecked: nothing changes after init.
/// Owns a plan: must outlive every call that uses it.
final class CallPlanMemory: @unchecked Sendable {
  let plan: UnsafePointer<CallPlan>
  private let interface: CallInterface?

  /// Makes a plan.
  ///
  /// - Parameters:
  ///   - sources: for each field of the signature where it is; nil when it is not there.
  ///   - lane: another lane than that of the layout: for proofs that they do the same.
  init(
    _ signature: TypedSignature, from sources: [FieldSource?], lane forced: CallLane? = nil
  ) {
    let layout = CallLayout(signature, hasVerdict: true)
    let lane = forced ?? layout.lane
    var steps: [CallStep] = []
    for (index, field) in signature.fields.enumerated() {
      steps += CallStep.steps(
        for: field, number: index, from: sources[index], to: layout.places[index],
        target: layout.targets[index])
    }
    interface =
      lane == .ffi
      ? CallInterface.of(layout.arguments.map(\.type), returning: .scalar(.int32)) : nil
    let plan = UnsafeMutablePointer<CallPlan>.allocate(capacity: 1)
    plan.initialize(
      to: CallPlan(
        steps: Self.copy(steps), stepCount: steps.count,
        plainEnd: steps.allSatisfy(\.isPlain) ? steps.map(\.end).max() ?? 0 : 0, lane: lane,
        argumentWords: layout.argumentWords, frameWords: layout.frameWords,
        passedWords: layout.passedWords, cif: interface?.cif,
        words: Self.copy(layout.arguments.map { UInt16($0.word) }),
        wordCount: layout.arguments.count))
    self.plan = UnsafePointer(plan)
  }

  deinit {
    plan.pointee.steps.deallocate()
    plan.pointee.words.deallocate()
    plan.deallocate()
  }

  private static func copy<Element>(_ array: [Element]) -> UnsafePointer<Element> {
    let buffer = UnsafeMutableBufferPointer<Element>.allocate(capacity: max(array.count, 1))
    _ = buffer.initialize(from: array)
    guard let base = buffer.baseAddress else { preconditionFailure("a buffer without an address") }
    return UnsafePointer(base)
  }
}
