// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonPlatform

/// The kexts of the kernel: which there are, which are loaded, and how they come and go.
public final class Kexts: Sendable {
  /// Kemon's hooks around the start of kexts.
  let monitor: KextMonitor

  private let records: KernelRecords
  private let layout: kernel_oskext_layout
  private let start: OSKextStart
  // The kernel's kext lock: one request at a time, and handlers of plugins run inside. None of them can take it:
  // whoever needs to know what is loaded where asks for `modules`.
  private let objects = PosixLock(Objects())
  private let loaded = PosixLock([KextModule]())

  private struct Objects {
    var order: [KextObject] = []
    var named: [String: KextObject] = [:]
  }

  init(release: KernelRelease, records: KernelRecords) throws(KernelError) {
    self.records = records
    layout = kernel_oskext_layout(
      kmod_info: release.kmodInfoOffset, string_text: release.stringTextOffset)
    start = try OSKextStart(release)
    monitor = try KextMonitor(start, layout: layout, records: records)
  }

  /// What is loaded where, in the order of loading: the kernel's list of kmods.
  ///
  /// On any thread, from inside a handler too.
  public var modules: [KextModule] { loaded.withLock { $0 } }

  /// Says which kexts there are; none of them is loaded.
  func declare(_ kexts: [Session.Kext]) {
    objects.withLock { objects in
      objects.order = kexts.map { KextObject($0, layout: layout) }
      objects.named = Dictionary(
        objects.order.map { ($0.kext.id, $0) }, uniquingKeysWith: { first, _ in first })
      loaded.withLock { $0 = [] }
    }
  }

  /// Loads a kext because user space asked for it.
  func load(_ id: String) -> KextReturn {
    objects.withLock { objects in
      guard let object = objects.named[id] else { return .notFound }
      let loader = KextLoader(start: start, records: records, objects: objects.named) {
        object, isLoaded in
        self.loaded.withLock { loaded in
          loaded.removeAll { $0.id == object.kext.id }
          if isLoaded { loaded.append(KextModule(object.kext)) }
        }
      }
      return loader.request(object)
    }
  }

  /// What became of every kext that was asked for or needed, in the order of the session.
  var outcomes: [KextOutcome] {
    objects.withLock { objects in
      objects.order.compactMap { object in
        object.result.map { result in
          KextOutcome(
            id: object.kext.id, result: result, startStatus: object.startStatus,
            bodyRuns: object.bodyRuns)
        }
      }
    }
  }

  /// Takes the hooks out; returns after the last call has left.
  func close() throws(KernelError) { try monitor.close() }
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
