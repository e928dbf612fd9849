// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  import CKemonPlatform

  /// A place that is or was hooked: its window, its stub and its hooks.
  ///
  /// A site outlives its hooks and serves the next ones at the same place, so that neither its slot nor its
  /// `ckemon_hook` is ever freed under a thread, and hooking a place again and again takes no more memory. Reached
  /// under the engine's lock only.
  final class HookSite {
    /// One hook of the site.
    struct Entry {
      let id: UInt64
      let order: Int
      let handler: ckemon_hook_handler
    }

    /// What its stub leads to; changes when it is not hooked.
    var purpose: Stub.Purpose
    var window: PatchWindow { patch.window }
    /// Where the stub stands.
    let slot: UInt
    /// What leads to the stub, or to the replacement.
    var patch: SitePatch
    /// The `ckemon_hook`; nil for a replacement.
    let pointer: OpaquePointer?
    let moves: [ThreadMove]
    /// The address that was asked for: the function, which may begin with a landing pad.
    var source: UInt = 0
    var entries: [Entry] = []
    /// Whether the jump stands in the code.
    var isPatched = false
    /// Handler tables that are not in force any more and may still be in use.
    var retired: [OpaquePointer] = []
    /// Keeps the library loaded while the jump stands in it.
    var pin: LibraryPin?

    init(
      purpose: Stub.Purpose, patch: SitePatch, slot: UInt,
      pointer: OpaquePointer?, moves: [ThreadMove]
    ) {
      self.purpose = purpose
      self.patch = patch
      self.slot = slot
      self.pointer = pointer
      self.moves = moves
    }

    var address: UInt { window.start }

    /// What replacements call as the original.
    var original: UInt { slot &+ UInt(Stub.originalOffset) }

    /// Whether it is a site of the same kind.
    func isLike(_ other: Stub.Purpose) -> Bool {
      switch (purpose, other) {
      case (.entry, .entry), (.callSite, .callSite), (.replacement, .replacement): true
      default: false
      }
    }

    /// Whether the stub can serve this purpose.
    func serves(_ other: Stub.Purpose, _ otherWindow: PatchWindow) -> Bool {
      isLike(other) && window == otherWindow
    }

    /// Lets calls that arrive from now on see these entries.
    func publish(_ new: [Entry]) throws(HookError) {
      guard let pointer else { return }
      // Where nobody wants to be called the stub goes straight to the original.
      let handlers = new.map(\.handler).filter { $0.pre != nil || $0.post != nil }
      var table: OpaquePointer?
      if !handlers.isEmpty {
        table = ckemon_hook_table_create(pointer, handlers, UInt32(handlers.count))
        guard table != nil else {
          throw HookError(.system, at: address, "no memory for \(handlers.count) handlers")
        }
      }
      entries = new
      if let old = ckemon_hook_publish(pointer, table) { retired.append(old) }
    }

    /// Frees tables that no call uses any more; a barrier must have been made since they were published.
    func reap() {
      guard let pointer else { return }
      retired.removeAll { table in
        guard ckemon_hook_uses(pointer, table) == 0 else { return false }
        ckemon_hook_table_destroy(table)
        return true
      }
    }
  }
#endif
