// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  /// Chooses how a function is made hookable: the first way that is right.
  struct WindowChoice {
    let search: BranchSearch
    let index: BranchIndex
    /// The places that hooks have taken, those of this transaction included.
    let patched: PatchedSites

    private var function: FunctionCode { search.function }

    /// The place of a call and what follows it.
    func callSite(at address: UInt) throws(HookError) -> PatchWindow {
      let instructions = try function.decode(from: address) { code throws(HookError) in
        try Disassembler().instructions(in: code, at: address, covering: PatchWindow.jumpSize)
      }
      let window = try PatchWindow(.window, .jump, instructions)
      try search.requireBoundary(at: address)
      // The call itself may be jumped to: the jump to the stub then stands there.
      if let found = try search.first(into: window.patched, isEntry: false) {
        throw search.refusal(of: found, into: window.patched)
      }
      return window
    }

    /// The beginning of a function: behind its landing pad when that is possible.
    ///
    /// - Parameter allowsTraps: whether a breakpoint is better than nothing.
    func entry(allowsTraps: Bool) throws(HookError) -> PatchWindow {
      var places = [function.start]
      if function.hasLandingPad { places.insert(function.start &+ 4, at: 0) }
      var attempts = Attempts()
      for place in places {
        attempts.make { () throws(HookError) in try jump(at: place) }
        if let window = attempts.found { return window }
      }
      try attempts.requireSomethingElse()
      attempts.make { () throws(HookError) in try copy(from: places[0]) }
      for place in places where attempts.found == nil {
        attempts.make { () throws(HookError) in try shortJump(at: place) }
      }
      for place in places where attempts.found == nil && allowsTraps {
        attempts.make { () throws(HookError) in try trap(at: place) }
      }
      return try attempts.best()
    }

    /// What has been tried.
    private struct Attempts {
      /// Right while other threads run.
      private(set) var found: PatchWindow?
      /// Right while no other thread is there.
      private var quiescent: PatchWindow?
      private var obstacle: HookError?

      mutating func make(_ attempt: () throws(HookError) -> PatchWindow) {
        do throws(HookError) {
          let window = try attempt()
          if window.returnsInside == nil {
            found = window
          } else {
            quiescent = quiescent ?? window
          }
        } catch {
          obstacle = obstacle ?? error
        }
      }

      /// Throws what no other way helps against.
      func requireSomethingElse() throws(HookError) {
        guard let obstacle, obstacle.code != .branchIntoWindow, obstacle.code != .tooShort else {
          return
        }
        throw obstacle
      }

      func best() throws(HookError) -> PatchWindow {
        if let window = found ?? quiescent { return window }
        throw obstacle ?? HookError(.tooShort, at: 0, "nothing was tried")
      }
    }

    private func requireFree(_ window: PatchWindow) throws(HookError) -> PatchWindow {
      guard let found = try search.first(into: window.patched, isEntry: true) else { return window }
      throw search.refusal(of: found, into: window.patched)
    }

    private func jump(at place: UInt) throws(HookError) -> PatchWindow {
      try requireFree(window(at: place, .window, .jump))
    }

    private func shortJump(at place: UInt) throws(HookError) -> PatchWindow {
      guard let cave = Cave(near: place, in: index, besides: patched) else {
        throw HookError(
          .tooShort, at: place, "no padding for a long jump is in reach of a short one")
      }
      return try requireFree(window(at: place, .cave, .shortJump(cave)))
    }

    private func trap(at place: UInt) throws(HookError) -> PatchWindow {
      try requireFree(window(at: place, .trap, .trap))
    }

    /// The instructions under a patch, and of a function that is shorter the padding behind it.
    private func window(
      at place: UInt, _ tier: HookTier, _ patch: PatchWindow.Patch
    ) throws(HookError) -> PatchWindow {
      let instructions = try function.decode(from: place) { code throws(HookError) in
        try Disassembler().instructions(in: code, at: place, upTo: patch.size)
      }
      let size = instructions.reduce(0) { $0 + $1.length }
      if size >= patch.size { return try PatchWindow(tier, patch, instructions) }
      let endsFlow = instructions.last?.form.endsFlow == true
      guard
        let padding = Padding(behind: function, upTo: place &+ UInt(patch.size), in: index),
        endsFlow || padding.nops != nil
      else {
        throw HookError(
          .tooShort, at: place,
          "\(size) bytes of code, a hook needs \(patch.size), and what follows is no padding")
      }
      let paddedTier = tier == .window ? .padding : tier
      guard !endsFlow, let nops = padding.nops else {
        return try PatchWindow(paddedTier, patch, instructions, padding: padding.bytes)
      }
      // It runs on into the padding, which is moved, too.
      let code = instructions.flatMap(\.bytes) + nops
      let all = try code.withUnsafeBufferPointer { code throws(HookError) in
        try Disassembler().instructions(
          in: UnsafeRawBufferPointer(code), at: place, upTo: patch.size)
      }
      return try PatchWindow(paddedTier, patch, all)
    }

    /// The whole function, because a jump in it leads back.
    private func copy(from place: UInt) throws(HookError) -> PatchWindow {
      let instructions = try function.decode(from: place) { code throws(HookError) in
        try Disassembler().instructions(in: code, at: place, upTo: code.count)
      }
      let size = instructions.reduce(0) { $0 + $1.length }
      guard instructions.count <= 4096, size >= PatchWindow.jumpSize else {
        throw HookError(.tooShort, at: place, "a function of this size is not copied")
      }
      let patched = place..<(place &+ UInt(PatchWindow.jumpSize))
      // What comes from elsewhere would still come: from a neighbour, from before the function, by a table of addresses.
      if let found = try search.first(into: patched, isEntry: true, except: place..<function.end) {
        throw search.refusal(of: found, into: patched)
      }
      let jump = instructions.first { $0.form.isIndirectJump && $0.ripDisplacementOffset == nil }
      if let jump {
        throw HookError(
          .branchIntoWindow, at: jump.address,
          "\(jump.text) may go to a part of the function that leads back to the "
            + "\(PatchWindow.jumpSize) bytes at 0x\(String(place, radix: 16)) that the hook replaces"
        )
      }
      return try PatchWindow(.copy, .jump, instructions)
    }
  }
#endif
