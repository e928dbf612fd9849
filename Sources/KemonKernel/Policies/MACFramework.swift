// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonEvents
internal import KemonPlatform

/// The kernel's MAC framework: the list of policies, their registration, and the questions that the kernel asks them.
///
/// Registration is real machine code with Kemon's hooks in it: plugins see `mac.policy_register` and
/// `mac.policy_unregister`, and deny them. Any number of threads may ask, register and unregister at a time.
public final class MACFramework: Sendable {
  /// The table of the kernel's release.
  public let table: MACTable
  let core: MACCore
  private let monitor: MACMonitor
  private let slots: [String: MACSlot]

  /// Boots a framework of a release and puts Kemon's hooks in.
  ///
  /// - Throws: when the release has no published table, or the hooks are refused.
  init(release: KernelRelease, records: KernelRecords) throws(KernelError) {
    guard let table = release.macTable else {
      throw KernelError(.unknownFunction, "\(release.name) has no published table of MAC policies")
    }
    self.table = table
    core = try MACCore(release, table, records: records)
    monitor = try MACMonitor(core)
    slots = Dictionary(
      uniqueKeysWithValues: table.slots.enumerated().filter { !$0.element.isReserved }
        .map { ($0.element.name, MACSlot(index: $0.offset, operation: $0.element)) })
  }

  /// Starts the machine anew: no policy is there, nothing is watched, and addresses are named after these kexts.
  func restart(with kexts: [Session.Kext]) {
    core.restart(with: kexts.map { MACModule(name: $0.id, base: $0.base, size: $0.size) })
  }

  /// Takes Kemon's hooks out, and plugins out of the policies' tables; the policies stay, and nobody hears of them.
  func close() throws(KernelError) {
    try monitor.close()
    core.close()
  }

  // MARK: Asking

  /// Whether there is anybody to ask.
  @inline(__always)
  var hasPolicies: Bool { core.hasPolicies }

  /// Where an operation stands in this release, with or without `mpo_`; nil when it has no such operation.
  public func slot(_ name: StaticString) -> MACSlot? { slot(named: name.description) }

  /// The same for a name that is not known before.
  public func slot(named name: String) -> MACSlot? {
    slots[name.hasPrefix("mpo_") ? name : "mpo_\(name)"]
  }

  /// MAC_CHECK: asks every policy that has a function for the operation.
  ///
  /// - Parameter slot: nil when the release has no such operation: then nobody is asked.
  /// - Returns: 0, or the Darwin errno that comes first in the kernel's precedence.
  @inline(__always)
  public func check(
    _ slot: MACSlot?, _ a0: UInt64 = 0, _ a1: UInt64 = 0, _ a2: UInt64 = 0, _ a3: UInt64 = 0,
    _ a4: UInt64 = 0, _ a5: UInt64 = 0, _ a6: UInt64 = 0, _ a7: UInt64 = 0
  ) -> Int32 {
    guard let slot, core.hasPolicies else { return 0 }
    return core.ask(slot, .check, a0, a1, a2, a3, a4, a5, a6, a7)
  }

  /// MAC_CHECK with arguments that lie in memory; those that are not given are 0.
  func check(_ slot: MACSlot?, _ words: UnsafeBufferPointer<UInt64>) -> Int32 {
    guard let slot, core.hasPolicies else { return 0 }
    return core.ask(slot, .check, words)
  }

  /// Asks every policy, and combines the answers by the operation's own rule unless another is given.
  ///
  /// - Parameter words: the arguments, 64 bits each; a structure by value takes one for each 8 bytes.
  public func ask(_ slot: MACSlot?, by rule: MACRule? = nil, _ words: [UInt64]) -> Int32 {
    guard let slot else { return 0 }
    return words.withUnsafeBufferPointer { core.ask(slot, rule ?? slot.rule, $0) }
  }

  // MARK: Policies

  /// Registers a policy, as its own code would.
  ///
  /// - Returns: what mac_policy_register returned: 0 or a Darwin errno.
  /// - Throws: when the kernel would not have survived it.
  public func register(_ policy: MACPolicy) throws(MACError) -> MACRegistration {
    core.own(policy)
    var handle: UInt32 = 0
    let (status, refusal) = core.inside { mac_policy_register(policy.conf, &handle, nil) }
    if status != 0 { core.disown(policy) }
    if let refusal { throw refusal }
    return MACRegistration(status: status, handle: status == 0 ? Int(handle) : nil)
  }

  /// Unregisters the policy of a handle, as its own code would.
  ///
  /// - Returns: what mac_policy_unregister returned: 0 or a Darwin errno.
  /// - Throws: when the kernel would not have survived it.
  public func unregister(_ handle: Int) throws(MACError) -> Int32 {
    let (status, refusal) = core.inside {
      mac_policy_unregister(UInt32(exactly: handle) ?? .max)
    }
    if let refusal { throw refusal }
    return status
  }

  /// Runs code of policies that calls the kernel by itself.
  public func run<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = kernel_mac_enter(core.state)
    defer { kernel_mac_enter(before) }
    return try body()
  }

  /// Runs a closure while the system boots, before Kemon is there: no plugin sees what happens.
  ///
  /// A policy that registers meanwhile gets a static place whatever its flags say. No other thread is in the kernel.
  public func duringBoot<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    kernel_mac_set_late(core.state, false)
    defer { kernel_mac_set_late(core.state, true) }
    return try body()
  }

  /// Says which modules the addresses of policies are in.
  public func add(_ module: MACModule) { core.add(module) }

  /// How a denied registration is enforced.
  public func setBlocking(_ blocking: MACBlocking) { core.setBlocking(blocking) }

  /// Lets plugins see, with `mac.op`, every operation of these policies, those that are registered later included.
  ///
  /// - Parameter names: short names; nil for all policies.
  /// - Throws: on a thread that is inside a policy.
  public func watch(_ names: Set<String>?) throws(MACError) { try core.watch(names) }

  // MARK: The list

  /// The policies in the order of the kernel's list; places that are free have none.
  ///
  /// - Throws: on a thread that is inside a policy.
  public func list() throws(MACError) -> [MACPolicyDescription] { try core.list() }

  /// Lists the policies to plugins: one `mac.policy_list` for each.
  ///
  /// - Returns: what they were told.
  /// - Throws: on a thread that is inside a policy.
  @discardableResult
  public func showList() throws(MACError) -> [MACPolicyDescription] {
    let policies = try list()
    for policy in policies {
      _ = core.records.policy(KEMON_KIND_MAC_POLICY_LIST, policy, opsVersion: core.opsVersion)
    }
    return policies
  }

  /// The numbers of the kernel's mac_policy_list.
  public var counters: MACListCounters { core.counters }
}
