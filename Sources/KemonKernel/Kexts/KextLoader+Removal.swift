// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

extension KextLoader {
  /// Unloads a kext because user space asked for it.
  func requestRemoval(_ id: String) -> KextReturn {
    guard KextChecks.isPrivileged else {
      records.log("Access Failure - must be root user.")
      return .notPrivileged
    }
    guard let object = objects[id] else {
      records.log("Can't remove kext \(id) - not found.")
      return .notFound
    }
    return remove(object)
  }

  /// OSKext::removeKext: also what happens to a kext that failed to load.
  func remove(_ object: KextObject) -> KextReturn {
    let id = object.kext.id
    let error = checks.checkUnload(id)
    guard error == 0 else {
      records.log("Failed to remove kext \(id) (MAC policy error 0x\(String(error, radix: 16))).")
      return .error
    }
    guard object.isLoaded else { return .success }
    if object.isStarted, object.kext.hasServices {
      records.log(
        "Can't remove kext \(id); services failed to terminate - \(KextReturn.inUse).")
      return .inUse
    }
    return unload(object)
  }

  /// Stops a kext on its own, as a request of user space.
  func requestStop(_ id: String) -> KextReturn {
    guard KextChecks.isPrivileged else { return .notPrivileged }
    guard let object = objects[id] else { return .notFound }
    guard object.isStarted else { return .success }
    guard !hasDependants(object) else {
      records.log(
        "Kext \(id) - has references (linkage or tracking object); can't stop.")
      return .inUse
    }
    return stop(object)
  }

  private func unload(_ object: KextObject) -> KextReturn {
    let id = object.kext.id
    guard machine.canUnloadKexts else {
      records.log("Kext unloading is disabled (\(id)).")
      return .disabled
    }
    guard !hasDependants(object) else {
      records.log("Can't unload kext \(id); outstanding references (linkage or tracking object).")
      return .inUse
    }
    if object.isStarted, object.kext.hasInstances {
      records.log("Can't unload kext \(id); classes have instances:")
      return .inUse
    }
    if object.isStarted {
      let result = stop(object)
      guard result == .success else {
        records.log("Kext \(id) can't unload - module stop returned \(result).")
        return .startStopError
      }
    }
    object.setUnloaded()
    didChange(object, false)
    return .success
  }

  private func stop(_ object: KextObject) -> KextReturn {
    let status = OSKext_stop(object.oskext)
    guard status != 0 else { return .success }
    records.log(
      "Kext \(object.kext.id) did not stop "
        + "(return code \(KextReturn(rawValue: UInt32(bitPattern: status)))).")
    return .startStopError
  }

  /// Whether a loaded kext is linked against this one.
  private func hasDependants(_ object: KextObject) -> Bool {
    objects.values.contains { other in
      other.isLoaded && other.kext.libraries.contains { $0.id == object.kext.id }
    }
  }
}
