// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  import CKemonPlatform

  /// Every place that is or was hooked, and the memory of the stubs.
  struct SiteTable {
    private(set) var sites: [UInt: HookSite] = [:]
    private var slabs: [CodeSlab] = []
    private var generation: UInt64 = 0
    /// Generation of the hook at each attached site; a site that is being emptied keeps its entry.
    private var generations: [UInt: UInt64] = [:]

    mutating func attach(
      _ kind: HookSite.Kind, at address: UInt, _ extent: FunctionExtent?, _ safety: PatchSafety,
      _ handlers: HookHandlers
    ) throws(HookError) -> Hook {
      let map = try MemoryMap()
      let function = try functionCode(at: address, extent, map)
      if kind == .entry, address != function.start {
        throw HookError(
          .unknownExtent, at: address,
          "not the beginning of the function at 0x\(String(function.start, radix: 16))")
      }
      let disassembler = try Disassembler()
      let place = kind == .entry ? function.entry : address
      let neighbours = function.extent.neighbours.compactMap { try? code(of: $0, map) }
      let window = try PatchWindow(
        at: place, of: function, neighbours: neighbours, with: disassembler)
      try refuseOverlap(of: window)
      try require(safety, of: window, kind)

      let site = try site(for: window, kind, map)
      sites[window.start] = site
      ckemon_hook_arm(site.pointer, handlers.pre, handlers.post, handlers.context)
      do {
        try TextPatcher.write(site.jump, at: window.start)
      } catch {
        ckemon_hook_disarm(site.pointer)
        throw error
      }
      generation += 1
      generations[window.start] = generation
      sites[window.start]?.isAttached = true
      return Hook(address: window.start, replaced: window.instructions, generation: generation)
    }

    /// Writes the original bytes back; the site stays taken until ``release(at:)``.
    ///
    /// - Returns: the hook to wait for, or nil when it was taken out before.
    mutating func restore(
      at address: UInt, generation: UInt64
    ) throws(HookError) -> OpaquePointer? {
      guard let site = sites[address], generations[address] == generation else { return nil }
      guard ckemon_hook_is_inside(site.pointer) == 0 else {
        throw HookError(
          .insideHandler, at: address, "this thread is in a call through the hook that it takes out"
        )
      }
      let found = TextPatcher.read(site.window.patched)
      guard found == site.jump else {
        throw HookError(.changed, at: address, "\(found) stands there instead of the hook's jump")
      }
      try TextPatcher.write(site.original, at: address)
      generations[address] = nil
      return site.pointer
    }

    /// Lets the place be hooked again.
    mutating func release(at address: UInt) { sites[address]?.isAttached = false }

    /// The code of the function that holds an address, as it was before any hook.
    private func functionCode(
      at address: UInt, _ extent: FunctionExtent?, _ map: MemoryMap
    ) throws(HookError) -> FunctionCode {
      guard let pointer = UnsafeRawPointer(bitPattern: address) else {
        throw HookError(.notCode, at: address, "nothing is mapped there")
      }
      try map.requireCode(address..<(address &+ 1))
      guard let extent = extent ?? FunctionExtent(containing: pointer) else {
        throw HookError(
          .unknownExtent, at: address,
          "no unwind information says where the function ends; give its extent")
      }
      guard extent.size > 0, extent.range.contains(address) else {
        throw HookError(
          .unknownExtent, at: address,
          "outside the given function: \(extent.size) bytes at 0x\(String(extent.start, radix: 16))"
        )
      }
      return try code(of: extent, map)
    }

    private func code(
      of extent: FunctionExtent, _ map: MemoryMap
    ) throws(HookError) -> FunctionCode {
      try map.requireCode(extent.range)
      var bytes = TextPatcher.read(extent.range)
      for site in sites.values where site.isAttached && extent.range.contains(site.address) {
        for (index, byte) in site.original.enumerated() {
          let offset = Int(site.address &- extent.start) + index
          if offset < bytes.count { bytes[offset] = byte }
        }
      }
      return FunctionCode(extent: extent, bytes: bytes)
    }

    private func refuseOverlap(of window: PatchWindow) throws(HookError) {
      for site in sites.values where site.isAttached && site.window.range.overlaps(window.range) {
        throw HookError(
          .alreadyHooked, at: window.start,
          "a hook at 0x\(String(site.address, radix: 16)) already replaces instructions here")
      }
    }

    /// Refuses what is not safe under other threads, unless the caller has promised that there are none.
    private func require(
      _ safety: PatchSafety, of window: PatchWindow, _ kind: HookSite.Kind
    ) throws(HookError) {
      guard safety == .live, window.instructions.count > 1 else { return }
      throw HookError(
        .needsQuiescence, at: window.start,
        "\(window.instructions.count) instructions are replaced; a thread that has stopped "
          + (kind == .entry ? "" : "or is inside the call ")
          + "between them would go on in the middle of the jump")
    }

    /// The site for a window: an old one of the same instructions, or a new one.
    private mutating func site(
      for window: PatchWindow, _ kind: HookSite.Kind, _ map: MemoryMap
    ) throws(HookError) -> HookSite {
      if let old = sites[window.start], old.window == window, old.kind == kind { return old }
      let slab = try slabIndex(near: window.start, map)
      let slot = slabs[slab].nextSlot
      let stub =
        switch kind {
        case .entry: try Stub(entry: window, slot: slot)
        case .callSite: try Stub(callSite: window, slot: slot)
        }
      let jump = try Stub.jump(from: window.start, to: stub.entry)
      slabs[slab].fill(stub.bytes)
      return HookSite(kind: kind, window: window, jump: jump, pointer: stub.hook)
    }

    private mutating func slabIndex(near address: UInt, _ map: MemoryMap) throws(HookError) -> Int {
      if let index = slabs.firstIndex(where: { $0.canServe(address) }) { return index }
      slabs.append(try CodeSlab(near: address, in: map))
      return slabs.count - 1
    }
  }
#endif
