// SPDX-License-Identifier: Apache-2.0

/// What the kernel asks MAC policies about kexts: `mpo_kext_check_load` and `mpo_kext_check_unload`.
///
/// The kernel's own process is not checked.
struct KextChecks: Sendable {
  /// Says about an identifier 0, or an errno of Darwin.
  typealias Check = @Sendable (_ identifier: String) -> Int32

  private let load: Check
  private let unload: Check

  init(load: @escaping Check = { _ in 0 }, unload: @escaping Check = { _ in 0 }) {
    self.load = load
    self.unload = unload
  }

  /// The checks of a kernel's policies.
  init(asking mac: MACFramework) {
    let (loading, unloading) = (mac.slot("kext_check_load"), mac.slot("kext_check_unload"))
    load = { Self.ask(mac, loading, $0) }
    unload = { Self.ask(mac, unloading, $0) }
  }

  private static func ask(_ mac: MACFramework, _ slot: MACSlot?, _ identifier: String) -> Int32 {
    identifier.withCString { text in
      mac.check(slot, 0, UInt64(UInt(bitPattern: text)))
    }
  }

  func checkLoad(_ identifier: String) -> Int32 { Self.isKernel ? 0 : load(identifier) }

  func checkUnload(_ identifier: String) -> Int32 { Self.isKernel ? 0 : unload(identifier) }

  /// Whether the thread's process may ask for kexts: the kernel gives the host's privileged port to root alone.
  static var isPrivileged: Bool { Lane.current.process.map { $0.uid == 0 } ?? true }

  /// Whether the kernel itself is at work.
  private static var isKernel: Bool { Lane.current.process.map { $0.pid == 0 } ?? true }
}
