// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  import CKemonPlatform

  /// The bytes of one slot: the addresses that its code needs, a stub that leads to a thunk, and the moved instructions.
  struct Stub {
    /// The whole slot.
    let bytes: [UInt8]
    /// Where the patched jump goes.
    let entry: UInt
    /// The moved beginning of an entry hook's function; what its thunk calls as the original.
    let original: UInt?

    private static let endbr64: [UInt8] = [0xF3, 0x0F, 0x1E, 0xFA]
    private static let int3: UInt8 = 0xCC
    private static let hookOffset = 0
    private static let thunkOffset = 8
    private static let originalOffset = 64

    /// A stub for the beginning of a function.
    ///
    /// - Parameters:
    ///   - slot: where it will stand.
    ///   - hook: makes the hook for the address of the moved instructions.
    static func entry(
      of window: PatchWindow, slot: UInt,
      hook: (_ original: UInt) throws(HookError) -> OpaquePointer
    ) throws(HookError) -> (Stub, OpaquePointer) {
      let original = slot &+ UInt(originalOffset)
      let place = original &+ UInt(endbr64.count)
      let relocator = Relocator(window: window.range)
      var moved = try relocator.relocate(window.instructions, to: place)
      moved += try jump(from: place &+ UInt(moved.count), to: window.end)

      let pointer = try hook(original)
      var code = Slot(hook: pointer, thunk: ckemon_entry_thunk)
      let entry = slot &+ UInt(code.bytes.count)
      code.bytes += endbr64
      code.appendRelative([0x4C, 0x8B, 0x1D], to: hookOffset)  // mov r11, [rip + hook]
      code.appendRelative([0xFF, 0x25], to: thunkOffset)  // jmp [rip + thunk]
      code.pad(to: originalOffset)
      code.bytes += endbr64
      code.bytes += moved
      try code.finish(for: window)
      return (Stub(bytes: code.bytes, entry: entry, original: original), pointer)
    }

    /// A stub for a call and the instructions behind it, which then see the result that the post handler left.
    static func callSite(
      of window: PatchWindow, slot: UInt, hook: () throws(HookError) -> OpaquePointer
    ) throws(HookError) -> (Stub, OpaquePointer) {
      let call = window.instructions[0]
      let back = Int(CKEMON_STUB_RETURN)
      // mov r11, target; call [rip + thunk] (6 bytes): at a call r11 holds nothing that anybody needs.
      var load = try CallTarget(call).loadIntoR11()
      let loadOffset = back - 6 - load.bytes.count
      if let offset = load.ripDisplacementOffset, let target = call.ripTarget {
        let end = slot &+ UInt(back - 6)
        guard let distance = Int32(exactly: Int(bitPattern: target &- end)) else {
          throw HookError(
            .outOfReach, at: call.address, "\(call.text): the pointer is more than 2 GiB away")
        }
        load.bytes.store(distance, at: offset)
      }
      let followers = slot &+ UInt(back)
      let relocator = Relocator(window: window.range)
      var moved = try relocator.relocate(Array(window.instructions.dropFirst()), to: followers)
      moved += try jump(from: followers &+ UInt(moved.count), to: window.end)

      let pointer = try hook()
      var code = Slot(hook: pointer, thunk: ckemon_call_thunk)
      code.pad(to: loadOffset - endbr64.count)
      let entry = slot &+ UInt(code.bytes.count)
      code.bytes += endbr64
      code.bytes += load.bytes
      code.appendRelative([0xFF, 0x15], to: thunkOffset)  // call [rip + thunk]
      precondition(code.bytes.count == back, "the thunk finds its hook by this distance")
      code.bytes += moved
      try code.finish(for: window)
      return (Stub(bytes: code.bytes, entry: entry, original: nil), pointer)
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

      mutating func pad(to offset: Int) {
        bytes += repeatElement(int3, count: offset - bytes.count)
      }

      mutating func finish(for window: PatchWindow) throws(HookError) {
        guard bytes.count <= CodeSlab.slotSize else {
          throw HookError(
            .positionDependent, at: window.start,
            "the moved instructions take \(bytes.count) bytes, \(CodeSlab.slotSize) are there")
        }
        pad(to: CodeSlab.slotSize)
      }
    }
  }
#endif
