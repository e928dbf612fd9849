// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// The kernel's way of loading kexts, and what it logs on the way.
///
/// Step by step as OSKext::load of XNU 4570 does it; used under the kext lock.
struct KextLoader {
  /// What the machine allows.
  let machine: Session.Machine
  let start: OSKextStart
  let records: KernelRecords
  let checks: KextChecks
  /// The kexts that there are, by their identifiers.
  let objects: [String: KextObject]
  /// Keeps the list of kmods.
  let didChange: (_ object: KextObject, _ isLoaded: Bool) -> Void

  /// Which kexts of a request are started.
  enum StartLevel {
    /// The kext and what it needs.
    case all
    /// What it needs, but not the kext itself.
    case dependencies
    /// None.
    case nothing
  }

  /// Loads a kext because user space asked for it: kext_request, loadFromMkext, loadKextWithIdentifier.
  func request(
    _ id: String, starting level: StartLevel = .all, mayBeDeferred: Bool = false
  ) -> KextReturn {
    let result = checkedRequest(id, level, mayBeDeferred)
    if let object = objects[id] {
      object.result = result
      if result != .success {
        records.log("Failed to load \(object.kext.path) - \(result.words).", from: "kextd")
      }
    }
    return result
  }

  private func checkedRequest(
    _ id: String, _ level: StartLevel, _ mayBeDeferred: Bool
  ) -> KextReturn {
    guard KextChecks.isPrivileged else {
      records.log("Access Failure - must be root user.")
      return .notPrivileged
    }
    guard machine.canLoadKexts else {
      records.log("Kext loading is disabled.")
      return .disabled
    }
    guard let object = objects[id] else {
      if mayBeDeferred { return .deferred }
      records.log("Can't load kext \(id) - not found.")
      return .error
    }
    let result = load(object, level)
    if result != .success {
      records.log("Failed to load kext \(id) (error \(result)).")
      _ = remove(object)
    }
    return result
  }

  // MARK: OSKext::load

  private func load(_ object: KextObject, _ level: StartLevel) -> KextReturn {
    let result = loadOrStart(object, level)
    object.result = result
    if result != .success { records.log("Kext \(object.kext.id) failed to load (\(result)).") }
    return result
  }

  private func loadOrStart(_ object: KextObject, _ level: StartLevel) -> KextReturn {
    let id = object.kext.id
    if object.kext.isExcluded {
      records.log("Kext \(id) is in exclude list, not loadable")
      return .notLoadable
    }
    if !object.isLoaded {
      let error = checks.checkLoad(id)
      if error != 0 {
        records.log(
          "Failed to load kext \(id) (MAC policy error 0x\(String(error, radix: 16))).")
        return .error
      }
      guard machine.canLoadKexts else {
        records.log("Kext loading is disabled (attempt to load kext \(id)).")
        return .disabled
      }
      // A kext without code is never loaded: it only brings personalities.
      guard object.kext.isExecutable else { return .success }
      let result = loadExecutable(object, level)
      guard result == .success else { return result }
    }
    guard object.kext.isExecutable, !object.isStarted, level == .all else { return .success }
    return start(object)
  }

  private func loadExecutable(_ object: KextObject, _ level: StartLevel) -> KextReturn {
    let id = object.kext.id
    if machine.isSafeBoot, !object.kext.isForSafeBoot {
      records.log("Can't load kext \(id) - not loadable during safe boot.")
      return .bootLevel
    }
    var chains: [String: Int] = [:]
    guard resolveLibraries(of: object, behind: [], &chains) != nil else {
      records.log("Can't load kext \(id) - failed to resolve library dependencies.")
      return .dependencies
    }
    for needed in object.kext.libraries.compactMap({ objects[$0.id] }) {
      guard load(needed, level == .nothing ? .nothing : .all) == .success else {
        records.log("Dependency \(needed.kext.id) of kext \(id) failed to load.")
        _ = remove(needed)
        return .dependencyLoadError
      }
    }
    let result = link(object)
    guard result == .success else {
      records.log("Failed to load executable for kext \(id).")
      return result
    }
    object.setLoaded(dependencies: object.kext.libraries.compactMap { objects[$0.id] })
    didChange(object, true)
    return .success
  }

  /// Checks that everything that a kext needs, directly or not, is there and new enough, and that no kext needs itself.
  ///
  /// A session's kexts were checked among themselves; with those on disk there are others.
  ///
  /// - Parameters:
  ///   - path: which kexts lead to this one.
  ///   - chains: what was returned for kexts already.
  /// - Returns: how many kexts need each other in a row, from this one on; nil when it cannot be loaded.
  private func resolveLibraries(
    of object: KextObject, behind path: [String], _ chains: inout [String: Int]
  ) -> Int? {
    let id = object.kext.id
    if let known = object.isLoaded ? object.chain : chains[id] { return known }
    guard !path.contains(id) else {
      records.log("Kext \(id) has a dependency loop; can't resolve dependencies.")
      return nil
    }
    var chain = 1
    for library in object.kext.libraries {
      guard let found = objects[library.id] else {
        if library.isKernel { continue }
        records.log("Kext \(id) - library kext \(library.id) not found.")
        return nil
      }
      guard library.isKernel || found.kext.version >= library.version else {
        records.log(
          "Kext \(id) - library kext \(library.id) not compatible with "
            + "requested version \(library.version).")
        return nil
      }
      guard path.count < Session.Kext.longestChain else { return tooLong(id) }
      guard let next = resolveLibraries(of: found, behind: path + [id], &chains) else { return nil }
      chain = max(chain, next + 1)
    }
    guard chain <= Session.Kext.longestChain else { return tooLong(id) }
    chains[id] = chain
    return chain
  }

  // Kexts are loaded and started one inside the other.
  private func tooLong(_ id: String) -> Int? {
    records.log(
      "Kext \(id) - more than \(Session.Kext.longestChain) kexts need each other in a row.")
    return nil
  }

  private func link(_ object: KextObject) -> KextReturn {
    let id = object.kext.id
    switch object.kext.link {
    case .ok: return .success
    case .entitlement:
      records.log("Not entitled to link kext '\(id)'")
      return .notPrivileged
    case .executable:
      records.log("Can't load kext \(id) - executable is missing.")
      return .validation
    case .symbols:
      records.log("Can't load kext \(id) - link failed.")
      return .linkError
    }
  }

  // MARK: OSKext::start

  /// Starts a loaded kext on its own, as a request of user space.
  func requestStart(_ id: String, withDependencies: Bool) -> KextReturn {
    guard KextChecks.isPrivileged else { return .notPrivileged }
    guard let object = objects[id] else { return .notFound }
    if object.isStarted { return .success }
    return start(object, withDependencies: withDependencies)
  }

  /// Calls the kernel's function; whatever it returns but 0 becomes one code.
  private func start(_ object: KextObject, withDependencies: Bool = true) -> KextReturn {
    guard let function = UnsafeRawPointer(bitPattern: start.function) else { return .internalError }
    object.willStart(isEnabled: machine.canLoadKexts)
    let code = kernel_image_call_oskext_start(function, object.oskext, withDependencies)
    guard code != 0 else {
      object.startStatus = 0
      return .success
    }
    let result = logGate(object, code)
    records.log("Kext \(object.kext.id) start failed (result \(result)).")
    return .startStopError
  }

  /// Says what stood in the way of a start, if it was not the start routine.
  ///
  /// - Returns: what OSKext::start says that the result is.
  private func logGate(_ object: KextObject, _ code: Int32) -> KextReturn {
    let id = object.kext.id
    let result = KextReturn(rawValue: UInt32(bitPattern: code))
    switch kernel_oskext_gate(object.oskext) {
    case UInt32(KERNEL_KEXT_GATE_NOT_LOADED):
      records.log("Attempt to start nonloaded kext \(id).")
    case UInt32(KERNEL_KEXT_GATE_DISABLED):
      records.log("Kext loading is disabled (attempt to start kext \(id)).")
    case UInt32(KERNEL_KEXT_GATE_MAPPING):
      let (kext, end) = (object.kext, object.kext.base &+ object.kext.size)
      records.log(
        "Kext \(id) module start pointer is outside of kext range (start 0x\(hex(kext.start)) - "
          + "kext at 0x\(hex(kext.base))-0x\(hex(end))).")
    case UInt32(KERNEL_KEXT_GATE_DEPENDENCY):
      let blocker = objects.values.first {
        UnsafePointer($0.oskext) == kernel_oskext_blocker(object.oskext)
      }
      records.log(
        "Kext \(id) start - dependency \(blocker?.kext.id ?? "?") failed to start (error \(result))."
      )
    default:
      let status = kernel_oskext_start_result(object.oskext)
      guard result == .startStopError || status != 0 else { return result }
      object.startStatus = status
      return KextReturn(rawValue: UInt32(bitPattern: status))
    }
    return result
  }

  private func hex(_ number: UInt64) -> String { String(number, radix: 16) }
}
