// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  /// Finds out where a hook goes: the function's code as it was before any hook, and its window.
  struct SitePlanner {
    let map: MemoryMap
    let patched: PatchedSites

    /// Where a function's entry hook goes.
    func entryWindow(at address: UInt, _ extent: FunctionExtent?) throws(HookError) -> PatchWindow {
      let function = try functionCode(at: address, extent)
      guard address == function.start else {
        throw HookError(
          .unknownExtent, at: address,
          "not the beginning of the function at 0x\(String(function.start, radix: 16))")
      }
      let window = try PatchWindow(entryOf: search(near: address, function))
      try refuseOverlap(of: window)
      return window
    }

    /// Where a hook of a call goes.
    func callSiteWindow(
      at address: UInt, _ extent: FunctionExtent?
    ) throws(HookError) -> PatchWindow {
      let function = try functionCode(at: address, extent)
      let window = try PatchWindow(callSite: address, of: search(near: address, function))
      try refuseOverlap(of: window)
      return window
    }

    private func search(near place: UInt, _ function: FunctionCode) -> BranchSearch {
      let neighbours = function.extent.neighbours.compactMap { try? code(of: $0) }
      return BranchSearch(near: place, of: function, neighbours: neighbours) { address in
        guard let pointer = UnsafeRawPointer(bitPattern: address),
          let extent = FunctionExtent(containing: pointer)
        else { return nil }
        return try? code(of: extent)
      }
    }

    /// The code of the function that holds an address.
    private func functionCode(
      at address: UInt, _ given: FunctionExtent?
    ) throws(HookError) -> FunctionCode {
      guard let pointer = UnsafeRawPointer(bitPattern: address) else {
        throw HookError(.notCode, at: address, "nothing is mapped there")
      }
      try map.requireCode(address..<(address &+ 1))
      if let given {
        guard given.size > 0, given.range.contains(address) else {
          throw HookError(
            .unknownExtent, at: address,
            "outside the given function: \(given.size) bytes at 0x\(String(given.start, radix: 16))"
          )
        }
        return try code(of: given)
      }
      if let found = FunctionExtent(containing: pointer) {
        // Functions in assembly may share one entry of the unwind information; the symbol says where this one begins.
        var size = 0
        let isOwn = found.start != address && FunctionExtent.hasSymbol(pointer, &size)
        return try code(of: found, from: isOwn ? address : nil)
      }
      var size = 0
      guard FunctionExtent.hasSymbol(pointer, &size), size > 0 else {
        throw HookError(
          .unknownExtent, at: address,
          "no unwind information and no symbol says where the function ends; give its extent")
      }
      return try code(of: FunctionExtent(start: pointer, size: size))
    }

    private func code(
      of extent: FunctionExtent, from start: UInt? = nil
    ) throws(HookError) -> FunctionCode {
      try map.requireCode(extent.range)
      var bytes = TextPatcher.read(extent.range)
      for site in patched.sites(in: extent.range) {
        for (index, byte) in site.window.original.enumerated() {
          let offset = Int(bitPattern: site.address &- extent.start) + index
          if bytes.indices.contains(offset) { bytes[offset] = byte }
        }
      }
      return FunctionCode(extent: extent, bytes: bytes, start: start)
    }

    private func refuseOverlap(of window: PatchWindow) throws(HookError) {
      // Nobody would come by a hook in a function that is copied, or see one that is copied.
      let range = window.start..<max(window.end, window.patched.upperBound)
      let other =
        patched.sites(in: range).first
        ?? patched.copies.first { $0.window.range.overlaps(window.range) }
      guard let other else { return }
      throw HookError(
        .alreadyHooked, at: window.start,
        "a hook at 0x\(String(other.address, radix: 16)) already replaces instructions here")
    }
  }
#endif
