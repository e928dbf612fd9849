// SPDX-License-Identifier: Apache-2.0

/// What happens to a policy that was built for one kernel on another: nothing is checked there, the pointers are called.
public struct MACSkew: Sendable {
  /// What becomes of a slot that the policy knows.
  public enum Fate: String, Sendable, CaseIterable {
    /// The right function is called with the right arguments.
    case ok
    /// The function is called with arguments of another prototype.
    case wrongPrototype = "prototype mismatch"
    /// The function is called for another operation.
    case wrongOperation = "wrong operation"
    /// The kernel has nothing there: the function is never called.
    case neverCalled = "never called"
    /// The kernel's table ends before the slot.
    case missing = "slot missing"
    /// The kernel's operation is newer than the policy, which has nothing there.
    case unset = "new, unset"
    /// The kernel reads its operation behind the end of the policy's table.
    case pastEnd = "read past the end"
  }

  /// A slot of the two tables.
  public struct Slot: Sendable {
    /// Its number.
    public let index: Int
    /// What becomes of it.
    public let fate: Fate
    /// What the policy was built for; nil behind the end of its table.
    public let built: MACOperation?
    /// What the kernel calls; nil behind the end of its table.
    public let running: MACOperation?
  }

  /// The table that the policy was built for.
  public let built: MACTable
  /// The table of the kernel that it runs on.
  public let running: MACTable
  /// The slots that either uses, in order.
  public let slots: [Slot]

  /// Compares two tables.
  public init(built: MACTable, running: MACTable) {
    self.built = built
    self.running = running
    slots = (0..<max(built.slots.count, running.slots.count)).compactMap { index in
      let ours = index < built.slots.count ? built.slots[index] : nil
      let theirs = index < running.slots.count ? running.slots[index] : nil
      return Self.fate(ours, theirs).map {
        Slot(index: index, fate: $0, built: ours, running: theirs)
      }
    }
  }

  /// How many slots have a fate.
  public func count(_ fate: Fate) -> Int { slots.count { $0.fate == fate } }

  private static func fate(_ built: MACOperation?, _ running: MACOperation?) -> Fate? {
    let isCalled = running.map { !$0.isReserved } ?? false
    guard let built else { return isCalled ? .pastEnd : nil }
    if built.isReserved { return isCalled ? .unset : nil }
    guard let running else { return .missing }
    if running.isReserved { return .neverCalled }
    if running.name != built.name { return .wrongOperation }
    return running.isCompatible(with: built) ? .ok : .wrongPrototype
  }
}
