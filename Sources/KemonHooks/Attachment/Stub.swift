// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  import CKemonPlatform

  /// The bytes of one slot: the addresses that its code needs, a stub that leads to a thunk, and the moved instructions.
  struct Stub {
    /// The whole slot.
    let bytes: [UInt8]
    /// Where the patched jump goes.
    let entry: UInt
    /// The `ckemon_hook` that the stub leads to.
    let hook: OpaquePointer

    private static let endbr64: [UInt8] = [0xF3, 0x0F, 0x1E, 0xFA]
    private static let hookOffset = 0
    private static let thunkOffset = 8
    /// Where the moved beginning of a function is: what the entry thunk calls as the original.
    private static let originalOffset = 64

    /// Makes a stub, and the hook that it leads to, for the beginning of a function.
    ///
    /// - Parameter slot: where it will stand.
    init(entry window: PatchWindow, slot: UInt) throws(HookError) {
      let original = slot &+ UInt(Self.originalOffset)
      let moved =
        Self.endbr64
        + (try Self.move(
          window.instructions, of: window, to: original &+ UInt(Self.endbr64.count),
          room: CodeSlab.slotSize - Self.originalOffset - Self.endbr64.count))

      hook = try Self.makeHook(original: original, resume: nil, for: window)
      var code = Slot(hook: hook, thunk: ckemon_entry_thunk)
      entry = slot &+ UInt(code.bytes.count)
      code.bytes += Self.endbr64
      code.appendRelative([0x4C, 0x8B, 0x1D], to: Self.hookOffset)  // mov r11, [rip + hook]
      code.appendRelative([0xFF, 0x25], to: Self.thunkOffset)  // jmp [rip + thunk]
      code.pad(to: Self.originalOffset)
      code.bytes += moved
      code.pad(to: CodeSlab.slotSize)
      bytes = code.bytes
    }

    /// Makes a stub, and the hook that it leads to, for a call and the instructions behind it.
    ///
    /// Those run after the thunk, so that they see the result that the post handler left.
    init(callSite window: PatchWindow, slot: UInt) throws(HookError) {
      let call = window.instructions[0]
      let back = Int(CKEMON_STUB_RETURN)
      let callThunk: [UInt8] = [0xFF, 0x15]  // call [rip + thunk], 6 bytes
      let loadEnd = back - callThunk.count - 4
      // At a call r11 holds nothing that anybody needs: it takes the target.
      let load = try CallTarget(call).loadIntoR11(endingAt: slot &+ UInt(loadEnd))
      let moved = try Self.move(
        Array(window.instructions.dropFirst()), of: window, to: slot &+ UInt(back),
        room: CodeSlab.slotSize - back)

      hook = try Self.makeHook(original: nil, resume: call.end, for: window)
      var code = Slot(hook: hook, thunk: ckemon_call_thunk)
      code.pad(to: loadEnd - load.count - Self.endbr64.count)
      entry = slot &+ UInt(code.bytes.count)
      code.bytes += Self.endbr64
      code.bytes += load
      code.appendRelative(callThunk, to: Self.thunkOffset)
      precondition(code.bytes.count == back, "the thunk finds its hook by this distance")
      code.bytes += moved
      code.pad(to: CodeSlab.slotSize)
      bytes = code.bytes
    }

    /// The instructions for another place, and a jump back to the end of the window.
    private static func move(
      _ instructions: [Instruction], of window: PatchWindow, to place: UInt, room: Int
    ) throws(HookError) -> [UInt8] {
      var moved = try Relocator(window: window.range).relocate(instructions, to: place)
      moved += try jump(from: place &+ UInt(moved.count), to: window.end)
      guard moved.count <= room else {
        throw HookError(
          .positionDependent, at: window.start,
          "the moved instructions take \(moved.count) bytes, there is room for \(room)")
      }
      return moved
    }

    /// `jmp rel32`.
    static func jump(from place: UInt, to target: UInt) throws(HookError) -> [UInt8] {
      let end = place &+ UInt(PatchWindow.jumpSize)
      guard let distance = Int32(exactly: Int(bitPattern: target &- end)) else {
        throw HookError(.outOfReach, at: place, "the stub is more than 2 GiB away")
      }
      var bytes: [UInt8] = [0xE9]
      bytes.append(littleEndian: distance)
      return bytes
    }

    private static func makeHook(
      original: UInt?, resume: UInt?, for window: PatchWindow
    ) throws(HookError) -> OpaquePointer {
      let wide = ckemon_has_wide_vectors() != 0 ? UInt32(CKEMON_HOOK_WIDE) : 0
      let hook = ckemon_hook_create(
        original.flatMap { UnsafeRawPointer(bitPattern: $0) },
        resume.flatMap { UnsafeRawPointer(bitPattern: $0) }, wide)
      guard let hook else { throw HookError(.system, at: window.start, "no memory for a hook") }
      return hook
    }

    /// A slot being written: its two addresses first.
    private struct Slot {
      var bytes: [UInt8] = []

      init(hook: OpaquePointer, thunk: @convention(c) () -> Void) {
        bytes.append(littleEndian: UInt(bitPattern: hook))
        bytes.append(littleEndian: unsafeBitCast(thunk, to: UInt.self))
      }

      /// An instruction whose operand is one of the slot's addresses.
      mutating func appendRelative(_ opcode: [UInt8], to offset: Int) {
        bytes += opcode
        bytes.append(littleEndian: Int32(offset - bytes.count - 4))
      }

      /// Fills with `int3`: nothing runs there.
      mutating func pad(to offset: Int) {
        bytes += repeatElement(0xCC, count: offset - bytes.count)
      }
    }
  }
#endif
