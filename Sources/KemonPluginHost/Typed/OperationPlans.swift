// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonEvents
import KemonPlatform
import Synchronization

// Unchecked: nodes never change once they are published and live as long as this object; writers hold a lock.
/// The plans of a handler for operations: one for every prototype that it has met.
///
/// Kernels change prototypes, and a record says what its arguments are called. The first record of a prototype costs a
/// look at every name; those after it cost a comparison of the texts.
final class OperationPlans: @unchecked Sendable {
  /// A prototype and its plan; a link of the list.
  private struct Node {
    let key: UnsafeRawBufferPointer
    let lengths: (Int, Int, Int)
    let plan: UnsafePointer<CallPlan>?
    let next: UnsafeMutablePointer<Node>?
  }

  /// Prototypes that are remembered: more than all releases have of any ten operations.
  ///
  /// A record of another one is served without being remembered, so that a hostile recording can not fill the memory.
  private static let limit = 256

  private let signature: TypedSignature
  private let first = Atomic<UInt>(0)
  private let writers = PosixLock(Writers())

  private struct Writers {
    var count = 0
    var memory: [CallPlanMemory] = []
    /// What did not match in the prototypes that do not have what the signature needs.
    var failures: [SignatureError] = []
  }

  init(_ signature: TypedSignature) { self.signature = signature }

  deinit {
    var next = head
    while let node = next {
      next = node.pointee.next
      node.pointee.key.deallocate()
      node.deallocate()
    }
  }

  /// Calls a function for a record of an operation.
  ///
  /// - Returns: nil when it was not called, because its arguments are not those that it needs.
  func call(
    _ target: CallPlan.Target, _ event: UnsafePointer<kemon_event>,
    _ verdict: UnsafeMutablePointer<kemon_verdict>?
  ) -> kemon_status? {
    let prototype = Prototype(event)
    if let node = find(prototype) { return node.pointee.plan?.pointee.call(target, event, verdict) }
    let memory = make(prototype)
    return withExtendedLifetime(memory) { memory?.plan.pointee.call(target, event, verdict) }
  }

  /// Why records of some prototype can not be served; nil when that has not happened.
  var failure: SignatureError? { writers.withLock { $0.failures.first } }

  // MARK: Prototypes

  /// What a record says of its operation.
  private struct Prototype {
    let operation: UnsafeRawBufferPointer
    let names: UnsafeRawBufferPointer
    let types: UnsafeRawBufferPointer

    init(_ event: UnsafePointer<kemon_event>) {
      let segments = Segments(event)
      operation = segments.bytes(at: OperationFields.name)
      names = segments.bytes(at: OperationFields.argumentNames)
      types = segments.bytes(at: OperationFields.argumentTypes)
    }

    func matches(_ node: UnsafeMutablePointer<Node>) -> Bool {
      guard node.pointee.lengths == (operation.count, names.count, types.count),
        let key = node.pointee.key.baseAddress
      else { return false }
      return Self.equal(operation, key) && Self.equal(names, key + operation.count)
        && Self.equal(types, key + operation.count + names.count)
    }

    private static func equal(_ bytes: UnsafeRawBufferPointer, _ other: UnsafeRawPointer) -> Bool {
      bytes.baseAddress.map { memcmp($0, other, bytes.count) == 0 } ?? true
    }

    /// A copy of the three texts, one after the other.
    func copy() -> UnsafeRawBufferPointer {
      let count = operation.count + names.count + types.count
      let key = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 1)
      key.copyBytes(from: Array(operation) + Array(names) + Array(types))
      return UnsafeRawBufferPointer(key)
    }

    var schema: FieldSchema {
      FieldSchema(
        operation: String(decoding: operation, as: UTF8.self), names: Self.list(names),
        types: Self.list(types), since: "in this kernel")
    }

    private static func list(_ bytes: UnsafeRawBufferPointer) -> [String] {
      bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
        .map { String(decoding: $0, as: UTF8.self) }
    }
  }

  private var head: UnsafeMutablePointer<Node>? {
    UnsafeMutablePointer(bitPattern: first.load(ordering: .acquiring))
  }

  private func find(_ prototype: Prototype) -> UnsafeMutablePointer<Node>? {
    var next = head
    while let node = next {
      if prototype.matches(node) { return node }
      next = node.pointee.next
    }
    return nil
  }

  /// Makes a plan and remembers it.
  ///
  /// Another thread may do the same at the same time: then there are two, of which the later is found.
  private func make(_ prototype: Prototype) -> CallPlanMemory? {
    let memory: CallPlanMemory?
    var failure: SignatureError?
    do throws(SignatureError) {
      memory = CallPlanMemory(signature, from: try prototype.schema.resolve(signature))
    } catch {
      memory = nil
      failure = error
    }
    writers.withLock { writers in
      guard writers.count < Self.limit else { return }
      writers.count += 1
      if let memory { writers.memory.append(memory) }
      if let failure { writers.failures.append(failure) }
      let node = UnsafeMutablePointer<Node>.allocate(capacity: 1)
      node.initialize(
        to: Node(
          key: prototype.copy(),
          lengths: (prototype.operation.count, prototype.names.count, prototype.types.count),
          plan: memory?.plan, next: head))
      first.store(UInt(bitPattern: node), ordering: .releasing)
    }
    return memory
  }
}
