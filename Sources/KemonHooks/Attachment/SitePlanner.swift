// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  /// Finds out where a hook goes: the function's code as it was before any hook, and its window.
  struct SitePlanner {
    let index: BranchIndex
    /// The places that hooks have taken, those of this transaction included.
    let patched: PatchedSites

    private var code: OriginalCode { index.code }

    /// Where a function's entry hook goes.
    func entryWindow(at address: UInt, _ options: HookOptions) throws(HookError) -> PatchWindow {
      let function = try functionCode(at: address, options.extent)
      guard address == function.start else {
        throw HookError(
          .unknownExtent, at: address,
          "not the beginning of the function at 0x\(String(function.start, radix: 16))")
      }
      let window = try choice(near: address, function).entry(allowsTraps: options.allowsTraps)
      try refuseOverlap(of: window)
      return window
    }

    /// Where a hook of a call goes.
    func callSiteWindow(
      at address: UInt, _ options: HookOptions
    ) throws(HookError) -> PatchWindow {
      let function = try functionCode(at: address, options.extent)
      let window = try choice(near: address, function).callSite(at: address)
      try refuseOverlap(of: window)
      return window
    }

    private func choice(near place: UInt, _ function: FunctionCode) -> WindowChoice {
      WindowChoice(
        search: BranchSearch(near: place, of: function, in: index), index: index, patched: patched)
    }

    /// The code of the function that holds an address.
    private func functionCode(
      at address: UInt, _ given: FunctionExtent?
    ) throws(HookError) -> FunctionCode {
      guard let pointer = UnsafeRawPointer(bitPattern: address) else {
        throw HookError(.notCode, at: address, "nothing is mapped there")
      }
      try code.map.requireCode(address..<(address &+ 1))
      if let given {
        guard given.size > 0, given.range.contains(address) else {
          throw HookError(
            .unknownExtent, at: address,
            "outside the given function: \(given.size) bytes at 0x\(String(given.start, radix: 16))"
          )
        }
        return try code.function(given)
      }
      if let found = index.function(at: address) {
        // Functions in assembly may share one entry of the unwind information; the symbol says where this one begins.
        var size = 0
        let isOwn = found.start != address && FunctionExtent.hasSymbol(pointer, &size)
        return try code.function(found, from: isOwn ? address : nil)
      }
      var size = 0
      guard FunctionExtent.hasSymbol(pointer, &size), size > 0 else {
        throw HookError(
          .unknownExtent, at: address,
          "no unwind information and no symbol says where the function ends; give its extent")
      }
      return try code.function(FunctionExtent(start: pointer, size: size))
    }

    private func refuseOverlap(of window: PatchWindow) throws(HookError) {
      // Nobody would come by a hook in a function that is copied, or see one that is copied.
      let range = window.start..<max(window.end, window.patched.upperBound)
      let other =
        patched.claims(in: range).first?.site
        ?? patched.copies.first { $0.window.range.overlaps(window.range) }
      guard let other else { return }
      throw HookError(
        .alreadyHooked, at: window.start,
        "a hook at 0x\(String(other.address, radix: 16)) already replaces instructions here")
    }
  }
#endif
