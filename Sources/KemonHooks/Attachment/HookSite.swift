// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  /// A place that is or was hooked: its window, its stub and its hook.
  ///
  /// A site outlives its hooks and serves the next one at the same place, so that neither its slot nor its hook is ever
  /// freed under a thread, and hooking a place again and again takes no more memory.
  struct HookSite {
    enum Kind { case entry, callSite }

    let kind: Kind
    let window: PatchWindow
    /// The jump to the stub.
    let jump: [UInt8]
    /// The `ckemon_hook`.
    let pointer: OpaquePointer
    var isAttached = false

    var address: UInt { window.start }
    /// What the jump takes the place of.
    var original: [UInt8] { Array(window.bytes.prefix(PatchWindow.jumpSize)) }
  }
#endif
