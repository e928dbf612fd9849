// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonBus
internal import KemonEvents

// Unchecked: its table never changes; the pointer in the policy is swapped atomically.
/// Stands in every slot that a policy uses, so that plugins see each call before and after the policy does.
final class MACWatch: @unchecked Sendable {
  private let conf: UnsafeMutablePointer<mac_policy_conf>
  /// The policy's own table.
  let original: UnsafeMutablePointer<UnsafeRawPointer?>
  private let table: UnsafeMutablePointer<UnsafeRawPointer?>
  private let thunks: [MACWatchThunk]

  /// Makes functions for the slots of a policy that has a name and a table; ``install()`` puts them in.
  init(
    _ conf: UnsafeMutablePointer<mac_policy_conf>,
    _ original: UnsafeMutablePointer<UnsafeRawPointer?>,
    in macTable: MACTable, records: KernelRecords
  ) {
    self.conf = conf
    self.original = original
    let name = conf.pointee.mpc_name.map { String(cString: $0) } ?? ""
    table = .allocate(capacity: macTable.slots.count)
    table.initialize(repeating: nil, count: macTable.slots.count)
    var thunks: [MACWatchThunk] = []
    for (slot, operation) in macTable.slots.enumerated() {
      guard let function = original[slot] else { continue }
      let thunk = MACWatchThunk(
        operation, slot: slot, of: name, calling: function, records: records)
      table[slot] = thunk.function
      thunks.append(thunk)
    }
    self.thunks = thunks
  }

  deinit { table.deallocate() }

  /// Lets calls that arrive from now on go through the watch.
  func install() { kernel_mac_set_ops(conf, table) }

  /// Lets calls that arrive from now on go to the policy; calls may still be inside the watch.
  func remove() { kernel_mac_set_ops(conf, original) }
}

/// Stands in for one function of a policy.
private final class MACWatchThunk: MACThunk, @unchecked Sendable {
  private let slot: Int
  private let policy: String
  private let original: UnsafeRawPointer
  private let records: KernelRecords
  // Made once: every call has them in its record.
  private let names: [UInt8]
  private let types: [UInt8]

  init(
    _ operation: MACOperation, slot: Int, of policy: String, calling original: UnsafeRawPointer,
    records: KernelRecords
  ) {
    self.slot = slot
    self.policy = policy
    self.original = original
    self.records = records
    names = Self.list(operation.wordNames)
    types = Self.list(operation.wordTypes)
    super.init(operation)
  }

  private static func list(_ texts: [String]) -> [UInt8] { texts.flatMap { Array($0.utf8) + [0] } }

  override func called(_ arguments: MACPrototype.Arguments) -> Int32? {
    let count = prototype.operation.words
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: max(count, 1)) { words in
      words.initialize(repeating: 0)
      prototype.copy(arguments, to: words)
      let call = MACCall(
        slot: slot, policy: policy, operation: prototype.operation.name,
        words: UnsafeRawBufferPointer(start: words.baseAddress, count: 8 * count), names: names,
        types: types, corr: records.nextMACOperation())
      return answer(watched(call, arguments))
    }
  }

  private func watched(_ call: MACCall, _ arguments: MACPrototype.Arguments) -> Int32 {
    let verdict = records.macOperationCalled(call)
    let isDenied = verdict.isDenied
    let result =
      isDenied
      ? DarwinErrno.darwin(verdict.error) : prototype.call(original, arguments)
    let returns = prototype.operation.result.name != "void"
    let error = isDenied || returns ? DarwinErrno.linux(result) : 0
    let after = records.macOperationReturned(
      call, value: isDenied || returns ? result : 0, error: error)
    return after.replacement.map { Int32(truncatingIfNeeded: $0) } ?? result
  }
}
