// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// The kernel's way of loading kexts: dependencies first, then OSKext::start, and what it logs when that fails.
///
/// Step by step as OSKext::load of XNU 4570 does it; used under the kext lock.
struct KextLoader {
  let start: OSKextStart
  let records: KernelRecords
  let objects: [String: KextObject]
  /// Keeps the list of kmods.
  let didChange: (KextObject, _ isLoaded: Bool) -> Void

  /// Loads a kext because user space asked for it.
  func request(_ object: KextObject) -> KextReturn {
    let result = load(object)
    guard result != .success else { return result }
    records.log("Failed to load kext \(object.kext.id) (error \(result)).")
    records.log("Failed to load \(object.kext.path) - \(result.words).", from: "kextd")
    return result
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
    didChange(object, true)
    guard object.kext.isExecutable else { return .success }
    let result = start(object)
    if result != .success {
      object.isLoaded = false
      didChange(object, false)
    }
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
