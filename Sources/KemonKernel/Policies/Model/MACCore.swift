// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

// Unchecked: the C state has locks of its own; everything else is constant or behind a lock.
/// The state of a MAC framework: the kernel's list, and what the model knows of the policies in it.
///
/// The lock is never held while code of policies or plugins runs. Whoever needs the kernel's list to stand still as well
/// takes that first.
final class MACCore: @unchecked Sendable {
  let state: OpaquePointer
  let table: MACTable
  let opsVersion: UInt32
  let records: KernelRecords
  private let knowledge = PosixLock(Knowledge())

  private struct Knowledge {
    /// Policies of the model, by the address of their mac_policy_conf: kept as long as they are registered.
    var owned: [UInt: MACPolicy] = [:]
    /// What stands in the slots of policies, by the same address.
    var watches: [UInt: MACWatch] = [:]
    /// Watches and policies that were taken out, and that a call may still be inside.
    var retired: [AnyObject] = []
    var watched: Watched = .nobody
    var modules = MACModules()
    var blocking = MACBlocking.skip
  }

  private enum Watched {
    case nobody, everybody
    case only(Set<String>)

    func includes(_ name: String) -> Bool {
      switch self {
      case .nobody: false
      case .everybody: true
      case .only(let names): names.contains(name)
      }
    }
  }

  init(_ release: KernelRelease, _ table: MACTable, records: KernelRecords) throws(KernelError) {
    self.table = table
    self.records = records
    opsVersion = release.macOpsVersion
    let context = MACCallbacks(table: table, records: records)
    guard let state = context.boot() else {
      throw KernelError(.unknownFunction, "no memory for the list of MAC policies")
    }
    self.state = state
    callbacks = context
  }

  /// What the C state calls; it has no reference of its own.
  private let callbacks: MACCallbacks

  deinit {
    unwatchAll()
    kernel_mac_destroy(state)
  }

  /// Calls the kernel on behalf of this framework, and says what it would not have survived.
  func inside(_ body: () -> Int32) -> (status: Int32, refusal: MACError?) {
    let before = kernel_mac_enter(state)
    _ = kernel_mac_take_refusal()
    let status = body()
    let refusal = MACError(refusal: kernel_mac_take_refusal())
    kernel_mac_enter(before)
    return (status, refusal)
  }

  /// Whether Kemon looks at what the calling thread does: in this kernel, not in another one of the process, and not
  /// while it boots, as Kemon comes later.
  var isWatching: Bool { kernel_mac_current() == state && kernel_mac_is_late(state) }

  /// Runs a closure while the list stands still and no dynamic policy is called.
  func exclusively(_ body: () -> Void) throws(MACError) {
    let done = withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { body in
        kernel_mac_exclusively(
          state,
          { context in context?.assumingMemoryBound(to: (() -> Void).self).pointee() },
          UnsafeMutableRawPointer(mutating: body))
      }
    }
    if !done, let error = MACError(refusal: KERNEL_MAC_SELF_WAIT) { throw error }
  }

  // MARK: Asking

  var hasPolicies: Bool { !kernel_mac_is_empty(state) }

  func ask(
    _ slot: MACSlot, _ rule: MACRule, _ a0: UInt64, _ a1: UInt64, _ a2: UInt64, _ a3: UInt64,
    _ a4: UInt64, _ a5: UInt64, _ a6: UInt64, _ a7: UInt64
  ) -> Int32 {
    ask(slot, rule) { words in
      (words[0], words[1], words[2], words[3]) = (a0, a1, a2, a3)
      (words[4], words[5], words[6], words[7]) = (a4, a5, a6, a7)
    }
  }

  func ask(_ slot: MACSlot, _ rule: MACRule, _ arguments: UnsafeBufferPointer<UInt64>) -> Int32 {
    ask(slot, rule) { words in
      for (index, word) in arguments.prefix(words.count).enumerated() { words[index] = word }
    }
  }

  private func ask(
    _ slot: MACSlot, _ rule: MACRule, _ fill: (UnsafeMutableBufferPointer<UInt64>) -> Void
  ) -> Int32 {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Int(KERNEL_MAC_WORDS)) { words in
      words.initialize(repeating: 0)
      fill(words)
      return kernel_mac_ask(
        state, UInt32(slot.index), slot.isPlain, rule.rawValue, words.baseAddress)
    }
  }

  // MARK: What is known

  /// A new start of the machine with these modules.
  func restart(with modules: [MACModule]) {
    var gone: Knowledge?
    let forget = {
      // The tables are as their policies made them before the policies leave the list.
      self.unwatchAll()
      kernel_mac_restart(self.state)
      gone = self.knowledge.withLock { known in
        defer {
          known = Knowledge()
          known.modules.known = modules
        }
        return known
      }
    }
    // Others may be looking at the list, or begin to watch its policies.
    do throws(MACError) { try exclusively(forget) } catch { forget() }
    // What goes here is freed without the lock.
    withExtendedLifetime(gone) {}
  }

  func own(_ policy: MACPolicy) {
    knowledge.withLock { $0.owned[UInt(bitPattern: policy.conf)] = policy }
  }

  /// Forgets a policy that is not registered.
  func disown(_ policy: MACPolicy) {
    guard policy.conf.pointee.mpc_runtime_flags & MPC_RUNTIME_FLAG_REGISTERED == 0 else { return }
    _ = knowledge.withLock { $0.owned.removeValue(forKey: UInt(bitPattern: policy.conf)) }
  }

  /// Forgets all about a policy that has been unregistered.
  ///
  /// - Parameter handle: its place. In front of the list nobody waits for those who ask: it is kept until the end then.
  func forget(_ conf: UnsafeMutablePointer<mac_policy_conf>, at handle: UInt32) {
    let key = UInt(bitPattern: conf)
    let isStatic = Int(handle) < counters.fixed
    // What is freed here is freed without the lock.
    let gone = knowledge.withLock { known in
      let gone = (known.owned.removeValue(forKey: key), known.watches.removeValue(forKey: key))
      if isStatic {
        for object: AnyObject? in [gone.0, gone.1] {
          if let object { known.retired.append(object) }
        }
      }
      return gone
    }
    gone.1?.remove()
  }

  func add(_ module: MACModule) { knowledge.withLock { $0.modules.add(module) } }

  func setBlocking(_ blocking: MACBlocking) { knowledge.withLock { $0.blocking = blocking } }

  var blocking: MACBlocking { knowledge.withLock { $0.blocking } }

  var counters: MACListCounters {
    let list = kernel_mac_list(state).pointee
    return MACListCounters(
      loaded: Int(list.numloaded), capacity: Int(list.max), highest: Int(list.maxindex),
      fixed: Int(list.staticmax), chunks: Int(list.chunks), hint: Int(list.freehint))
  }

  /// The policy of a handle.
  func policy(_ handle: UInt32) -> UnsafeMutablePointer<mac_policy_conf>? {
    var conf: UnsafeMutablePointer<mac_policy_conf>?
    try? exclusively {
      let list = kernel_mac_list(state).pointee
      if handle < list.max { conf = list.entries[Int(handle)].mpc }
    }
    return conf
  }

  func list() throws(MACError) -> [MACPolicyDescription] {
    var policies: [MACPolicyDescription] = []
    try exclusively {
      forEachPolicy { index, conf in policies.append(describe(conf, at: index)) }
    }
    return policies
  }

  private func forEachPolicy(_ body: (Int, UnsafeMutablePointer<mac_policy_conf>) -> Void) {
    let list = kernel_mac_list(state).pointee
    for index in 0..<Int(min(list.maxindex + 1, list.max)) {
      if let conf = list.entries[index].mpc { body(index, conf) }
    }
  }

  /// What the memory says of a policy.
  func describe(
    _ conf: UnsafeMutablePointer<mac_policy_conf>, at index: Int? = nil
  ) -> MACPolicyDescription {
    let key = UInt(bitPattern: conf)
    let (policy, watch, modules) = knowledge.withLock { known in
      (known.owned[key], known.watches[key], known.modules)
    }
    let ops = watch?.original ?? conf.pointee.mpc_ops
    let functions = table.slots.indices.compactMap { slot -> MACPolicyDescription.Function? in
      guard let function = ops?[slot] else { return nil }
      let address = policy?.claimedFunctions[slot] ?? UInt64(UInt(bitPattern: function))
      return MACPolicyDescription.Function(
        slot: slot, operation: table.slots[slot].name, address: address,
        module: modules.place(of: address))
    }
    return MACPolicyDescription(
      index: index, name: conf.pointee.mpc_name.map { String(cString: $0) } ?? "",
      fullName: conf.pointee.mpc_fullname.map { String(cString: $0) } ?? "",
      flags: conf.pointee.mpc_loadtime_flags, conf: policy?.claimedConf ?? UInt64(key),
      ops: policy?.claimedOps ?? UInt64(UInt(bitPattern: ops)), functions: functions)
  }

  // MARK: Watching

  /// Watches policies of these names, nil for all: those of the list, and those to come.
  func watch(_ names: Set<String>?) throws(MACError) {
    try exclusively {
      knowledge.withLock { $0.watched = names.map { .only($0) } ?? .everybody }
      forEachPolicy { _, conf in watchIfWanted(conf) }
    }
  }

  /// Puts plugins into the table of a policy, when they are to see it.
  ///
  /// - Returns: whether that was done.
  @discardableResult
  func watchIfWanted(_ conf: UnsafeMutablePointer<mac_policy_conf>) -> Bool {
    guard let name = conf.pointee.mpc_name, let ops = conf.pointee.mpc_ops else { return false }
    let key = UInt(bitPattern: conf)
    let isWanted = knowledge.withLock { known in
      known.watches[key] == nil && known.watched.includes(String(cString: name))
    }
    guard isWanted else { return false }
    let watch = MACWatch(conf, ops, in: table, records: records)
    knowledge.withLock { $0.watches[key] = watch }
    watch.install()
    return true
  }

  /// Takes plugins out of the table of a policy that could not be registered.
  func unwatch(_ conf: UnsafeMutablePointer<mac_policy_conf>) {
    let watch = knowledge.withLock { $0.watches.removeValue(forKey: UInt(bitPattern: conf)) }
    watch?.remove()
  }

  /// Lets plugins see nothing any more.
  func close() {
    unwatchAll()
    callbacks.silence()
  }

  /// Takes plugins out of all tables; calls may still be inside.
  func unwatchAll() {
    knowledge.withLock { known in
      known.watched = .nobody
      for watch in known.watches.values {
        watch.remove()
        known.retired.append(watch)
      }
      known.watches = [:]
    }
  }
}
