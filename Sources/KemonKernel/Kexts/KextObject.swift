// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import Glibc

/// A kext in the memory of the model: an OSKext and what it points at.
///
/// Belongs to one load request at a time, as in the kernel under its kext lock.
final class KextObject {
  /// What the session says of it.
  let kext: Session.Kext
  let oskext = UnsafeMutablePointer<kernel_oskext>.allocate(capacity: 1)
  private let memory = UnsafeMutablePointer<kernel_kext_memory>.allocate(capacity: 1)
  private let facts = UnsafeMutablePointer<kernel_oskext_facts>.allocate(capacity: 1)
  private let pathString = UnsafeMutablePointer<kernel_osstring>.allocate(capacity: 1)
  private let path: UnsafeMutablePointer<CChar>
  private let dependencies: UnsafeMutableBufferPointer<UnsafeMutablePointer<kernel_oskext>?>
  /// The MAC policies that its start routine registers.
  private let policies: KextPolicies?
  // The kexts that it is linked against are there as long as it is.
  private var linked: [KextObject] = []

  /// How many kexts need each other in a row, from this one on; of a loaded kext.
  private(set) var chain = 1
  /// Whether the kext is linked.
  private(set) var isLoaded = false
  /// What the last load came to; nil when none was tried.
  var result: KextReturn?
  /// What the kernel took as the status of the last start; nil when OSKext::start did not come so far.
  var startStatus: Int32?

  init(
    _ kext: Session.Kext, start: OSKextStart, layout: kernel_oskext_layout,
    policies: KextPolicies? = nil
  ) {
    self.kext = kext
    self.policies = policies
    path = strdup(kext.path)
    dependencies = .allocate(capacity: kext.libraries.count)
    dependencies.initialize(repeating: nil)
    memory.initialize(to: kernel_kext_memory())
    memory.pointee.body.status = kext.status
    memory.pointee.body.stop_status = kext.stopStatus
    memory.pointee.body.constructor_status = kext.constructorStatus
    if let policies {
      // Not retained: the code does not outlive this object.
      memory.pointee.body.context = Unmanaged.passUnretained(policies).toOpaque()
      memory.pointee.body.start = { KextObject.with($0) { $0.start() } }
      memory.pointee.body.stop = { KextObject.with($0) { $0.stop() } }
    }
    withUnsafeMutablePointer(to: &memory.pointee.info) { info in
      kernel_kmod_init(info, kext.id, kext.version.description, kext.base, kext.size)
    }
    facts.initialize(
      to: kernel_oskext_facts(
        memory: memory, dependencies: UnsafePointer(dependencies.baseAddress), dependency_count: 0,
        start: UnsafeRawPointer(bitPattern: start.function), start_address: kext.start,
        load_enabled: true))
    withUnsafePointer(to: layout) { layout in
      kernel_oskext_init(oskext, layout, facts, pathString, path)
    }
  }

  deinit {
    oskext.deallocate()
    memory.deallocate()
    facts.deallocate()
    pathString.deallocate()
    dependencies.deallocate()
    free(path)
  }

  private static func with(
    _ context: UnsafeMutableRawPointer?, _ body: (KextPolicies) -> Int32
  ) -> Int32 {
    guard let context else { preconditionFailure("a kext without its policies") }
    return Unmanaged<KextPolicies>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
  }

  /// Whether its start routine has returned 0, and it was not stopped since.
  var isStarted: Bool { kernel_oskext_started(oskext) }

  /// Makes it ready for a start.
  ///
  /// - Parameter isEnabled: whether the kernel starts kexts at all.
  func willStart(isEnabled: Bool) {
    facts.pointee.load_enabled = isEnabled
    kernel_oskext_forget(oskext)
  }

  /// Notes that it is linked against others.
  func setLoaded(dependencies needed: [KextObject]) {
    // Those without code are never started.
    linked = needed.filter(\.kext.isExecutable)
    for (place, object) in linked.enumerated() { dependencies[place] = object.oskext }
    facts.pointee.dependency_count = linked.count
    chain = 1 + (linked.map(\.chain).max() ?? 0)
    isLoaded = true
    kernel_oskext_set_loaded(oskext, true)
  }

  /// Notes that it is gone from memory.
  func setUnloaded() {
    isLoaded = false
    kernel_oskext_set_loaded(oskext, false)
    facts.pointee.dependency_count = 0
    linked = []
  }

  /// How often the parts of its code ran.
  var runs: KextOutcome.Runs {
    let body = memory.pointee.body
    return KextOutcome.Runs(
      constructors: Int(body.constructed), start: Int(body.started), stop: Int(body.stopped),
      destructors: Int(body.destructed))
  }
}
