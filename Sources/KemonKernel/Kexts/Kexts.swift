// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

/// The kexts of the kernel: which there are, which are loaded, and how they come and go.
public final class Kexts: Sendable {
  /// Kemon's hooks around the start of kexts.
  let monitor: KextMonitor
  private let stopMonitor: KextStopMonitor

  private let records: KernelRecords
  private let layout: kernel_oskext_layout
  private let start: OSKextStart
  private let checks: KextChecks
  // The kernel's kext lock: one request at a time, and handlers of plugins run inside. None of them can take it:
  // whoever needs to know what is loaded where asks for `modules`.
  private let objects = PosixLock(Objects())
  private let loaded = PosixLock([KextModule]())

  private struct Objects {
    var machine = Session.Machine()
    var order: [KextObject] = []
    var named: [String: KextObject] = [:]
  }

  init(
    release: KernelRelease, records: KernelRecords, checks: KextChecks = KextChecks()
  ) throws(KernelError) {
    self.records = records
    self.checks = checks
    layout = kernel_oskext_layout(
      kmod_info: release.kmodInfoOffset, string_text: release.stringTextOffset)
    start = try OSKextStart(release)
    monitor = try KextMonitor(start, layout: layout, records: records)
    do {
      stopMonitor = try KextStopMonitor(start, layout: layout, records: records)
    } catch {
      try monitor.close()
      throw error
    }
  }

  /// What is loaded where, in the order of loading: the kernel's list of kmods.
  ///
  /// On any thread, from inside a handler too.
  public var modules: [KextModule] { loaded.withLock { $0 } }

  /// Says which kexts there are, none of them loaded, and what the machine allows.
  func declare(_ kexts: [Session.Kext], on machine: Session.Machine = Session.Machine()) {
    objects.withLock { objects in
      objects.machine = machine
      objects.order = kexts.map { KextObject($0, start: start, layout: layout) }
      objects.named = Dictionary(
        objects.order.map { ($0.kext.id, $0) }, uniquingKeysWith: { first, _ in first })
      loaded.withLock { $0 = [] }
    }
  }

  /// Adds a kext on disk to those that there are; one of its identifier that is not loaded gives way.
  ///
  /// Only what the file says is taken: the start routine of the model's kext is the model's own. It registers the MAC
  /// policies that the file declares, if the file calls for that, and returns what that came to.
  ///
  /// - Returns: its identifier.
  /// - Throws: what it lacks to be one of this machine's kexts.
  func add(_ file: KextFile, registeringIn mac: MACFramework) throws(MachOError) -> String {
    try objects.withLock { objects throws(MachOError) in
      let modules = loaded.withLock { $0 }
      let end = modules.map { $0.base + $0.size }.max() ?? Session.Kext.firstBase
      let image = try file.modelImage
      let kext = try Session.Kext(file, image, behind: end)
      if objects.named[kext.id]?.isLoaded == true { return kext.id }
      let policies = KextPolicies(image, base: kext.base, in: mac)
      if policies != nil { mac.add(MACModule(name: kext.id, base: kext.base, size: kext.size)) }
      let object = KextObject(kext, start: start, layout: layout, policies: policies)
      objects.order.removeAll { $0.kext.id == kext.id }
      objects.order.append(object)
      objects.named[kext.id] = object
      return kext.id
    }
  }

  /// Does what user space asks for, under the kext lock.
  func request(_ body: (KextLoader) -> KextReturn) -> KextReturn {
    objects.withLock { objects in
      body(
        KextLoader(
          machine: objects.machine, start: start, records: records, checks: checks,
          objects: objects.named
        ) { object, isLoaded in
          self.loaded.withLock { loaded in
            loaded.removeAll { $0.id == object.kext.id }
            if isLoaded { loaded.append(KextModule(object.kext)) }
          }
        })
    }
  }

  /// What became of every kext that was asked for or needed, in the order of the session.
  var outcomes: [KextOutcome] {
    objects.withLock { objects in
      objects.order.compactMap { object in
        object.result.map { result in
          KextOutcome(
            id: object.kext.id, result: result, startStatus: object.startStatus,
            runs: object.runs)
        }
      }
    }
  }

  /// Takes the hooks out; returns after the last call has left.
  func close() throws(KernelError) {
    try monitor.close()
    try stopMonitor.close()
  }
}

/// A loaded kext: a row of the kernel's list of kmods.
public struct KextModule: Sendable, Equatable {
  /// The bundle identifier.
  public let id: String
  /// The version of the bundle.
  public let version: String
  /// Where it is linked to.
  public let base: UInt64
  /// Bytes of the linked kext.
  public let size: UInt64

  init(_ kext: Session.Kext) {
    id = kext.id
    version = kext.version.description
    base = kext.base
    size = kext.size
  }

  /// Whether an address is inside, as the original saw it: strictly between base and end.
  public func contains(_ address: UInt64) -> Bool {
    address > base && address < base &+ size
  }
}
