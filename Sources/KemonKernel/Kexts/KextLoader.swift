// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// The kernel's way of loading kexts: dependencies first, then OSKext::start, and what it logs when that fails.
///
/// Step by step as OSKext::load of XNU 4570 does it, for one session, on one thread.
struct KextLoader {
  private let start: OSKextStart
  private let records: KernelRecords
  private let objects: [String: KextObject]
  private let order: [String]

  init(
    _ session: Session, start: OSKextStart, layout: kernel_oskext_layout, records: KernelRecords
  ) {
    self.start = start
    self.records = records
    objects = Dictionary(
      uniqueKeysWithValues: session.kexts.map { ($0.id, KextObject($0, layout: layout)) })
    order = session.kexts.map(\.id)
  }

  /// Loads a kext because user space asked for it.
  func request(_ id: String) {
    guard let object = objects[id] else { preconditionFailure("a checked session names no \(id)") }
    let result = load(object)
    guard result != .success else { return }
    records.log("Failed to load kext \(id) (error \(result)).")
    records.log("Failed to load \(object.kext.path) - \(result.words).", from: "kextd")
  }

  /// What became of every kext that was asked for or needed, in the order of the session.
  var outcomes: [KextOutcome] {
    order.compactMap { objects[$0] }.compactMap { object in
      object.result.map { result in
        KextOutcome(
          id: object.kext.id, result: result, startStatus: object.startStatus,
          bodyRuns: object.bodyRuns)
      }
    }
  }

  private func load(_ object: KextObject) -> KextReturn {
    if object.isLoaded { return .success }
    let result = tryToLoad(object)
    object.result = result
    if result != .success { records.log("Kext \(object.kext.id) failed to load (\(result)).") }
    return result
  }

  private func tryToLoad(_ object: KextObject) -> KextReturn {
    var resolved: Set<String> = []
    guard resolveLibraries(of: object, &resolved) else {
      records.log("Can't load kext \(object.kext.id) - failed to resolve library dependencies.")
      return .dependencies
    }
    for library in object.kext.libraries {
      if let needed = objects[library.id], load(needed) != .success { return .dependencyLoadError }
    }
    object.isLoaded = true
    guard object.kext.isExecutable else { return .success }
    let result = start(object)
    if result != .success { object.isLoaded = false }
    return result
  }

  /// Checks that everything that a kext needs, directly or not, is there and new enough.
  private func resolveLibraries(of object: KextObject, _ resolved: inout Set<String>) -> Bool {
    guard !object.isLoaded, resolved.insert(object.kext.id).inserted else { return true }
    for library in object.kext.libraries {
      guard let found = objects[library.id] else {
        records.log("Kext \(object.kext.id) - library kext \(library.id) not found.")
        return false
      }
      guard found.kext.version >= library.version else {
        records.log(
          "Kext \(object.kext.id) - library kext \(library.id) not compatible with "
            + "requested version \(library.version).")
        return false
      }
      guard resolveLibraries(of: found, &resolved) else { return false }
    }
    return true
  }

  private func start(_ object: KextObject) -> KextReturn {
    guard let function = UnsafeRawPointer(bitPattern: start.function) else { return .internalError }
    let code = kernel_image_call_oskext_start(function, object.oskext, true)
    let result = KextReturn(rawValue: UInt32(bitPattern: code))
    object.startStatus = result == .success ? 0 : nil
    if result == .startStopError {
      let status = kernel_oskext_start_result(object.oskext)
      object.startStatus = status
      let number = String(UInt32(bitPattern: status), radix: 16)
      records.log("Kext \(object.kext.id) start failed (result 0x\(number)).")
    }
    return result
  }
}
