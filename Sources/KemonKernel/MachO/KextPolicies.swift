// SPDX-License-Identifier: Apache-2.0

internal import KemonPlatform

/// The MAC policies that a kext on disk declares, and that its start routine registers.
///
/// A kext that calls mac_policy_register does so with what it declares. None of its code runs: the policies' functions
/// stand where the file has them, and answer 0. Slots that the running kernel does not call are left out.
final class KextPolicies: Sendable {
  private let mac: MACFramework
  private let declared: [DeclaredPolicy]
  // From an address of the file to where the kext is linked to.
  private let slide: UInt64
  private let handles = PosixLock<[Int]>([])

  /// Takes a kext's policies.
  ///
  /// - Parameter base: where the model links it to.
  /// - Returns: nil when the kext registers none.
  init?(_ image: KextImage, base: UInt64, in mac: MACFramework) {
    guard image.registersPolicies, !image.policies.isEmpty else { return nil }
    self.mac = mac
    declared = image.policies
    slide = base &- image.base
  }

  /// What the start routine does: registers all, or none.
  ///
  /// - Returns: what it returns: 0, or the first Darwin errno.
  func start() -> Int32 {
    for policy in declared {
      let status = register(policy)
      guard status == 0 else {
        _ = stop()
        return status
      }
    }
    return 0
  }

  /// What the stop routine does: unregisters them, the last one first.
  ///
  /// - Returns: what it returns: 0, or the Darwin errno of the policy that stays, with those before it.
  func stop() -> Int32 {
    while let handle = handles.withLock({ $0.last }) {
      let status = (try? mac.unregister(handle)) ?? DarwinErrno.EDEADLK.rawValue
      guard status == 0 else { return status }
      handles.withLock { _ = $0.popLast() }
    }
    return 0
  }

  private func register(_ declared: DeclaredPolicy) -> Int32 {
    do throws(MACError) {
      let policy = try MACPolicy(
        name: declared.name, fullName: declared.fullName, table: mac.table,
        flags: Int32(bitPattern: declared.loadtimeFlags),
        handlers: declared.handlers.compactMap(handler),
        address: (declared.conf &+ slide, declared.ops &+ slide))
      let registration = try mac.register(policy)
      if let handle = registration.handle { handles.withLock { $0.append(handle) } }
      return registration.status
    } catch {
      // A real kernel would not have come so far.
      return DarwinErrno.EINVAL.rawValue
    }
  }

  private func handler(_ declared: DeclaredPolicy.Handler) -> MACHandler? {
    let slots = mac.table.slots
    guard slots.indices.contains(declared.slot), !slots[declared.slot].isReserved else {
      return nil
    }
    return MACHandler(slots[declared.slot].name, address: declared.address &+ slide)
  }
}
