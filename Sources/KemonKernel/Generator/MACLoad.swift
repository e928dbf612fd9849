// SPDX-License-Identifier: Apache-2.0

/// MAC policies: a monitor registers one, and unregisters it.
struct MACLoad: LoadPart {
  static let name = "mac"
  static let share = 4

  private let mac: MACFramework
  private let kextd: Session.Process
  private let policy: MACPolicy
  private var handle: Int?

  private static let unloadable: Int32 = 2

  init?(on model: KernelModel, thread: Int) {
    mac = model.mac
    kextd = model.processes.adopt(LoadProcess.kextd).identity
    guard
      let policy = try? MACPolicy(
        name: "load\(thread)_m", fullName: "Policy of a generated load", table: model.mac.table,
        flags: Self.unloadable, handlers: [MACHandler("mpo_pty_notify_grant")])
    else { return nil }
    self.policy = policy
  }

  mutating func perform(_ random: inout LoadRandom) -> Bool {
    Lane.current.process = kextd
    if let known = handle {
      handle = nil
      return (try? mac.unregister(known)) == 0
    }
    guard let registration = try? mac.register(policy), registration.status == 0 else {
      return false
    }
    handle = registration.handle
    return true
  }
}
