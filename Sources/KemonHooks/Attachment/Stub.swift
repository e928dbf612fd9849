// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  import CKemonPlatform

  /// The bytes of one slot: the addresses that its code needs, a stub, and the moved instructions.
  struct Stub {
    /// What a stub leads to.
    enum Purpose: Equatable {
      /// Handlers at the beginning of a function, keeping so much of its arguments.
      case entry(CallShape)
      /// Handlers at a call.
      case callSite(CallShape)
      /// Another function instead.
      case replacement
    }

    /// The whole slot.
    private(set) var bytes: [UInt8] = []
    /// Offset of where the patched jump goes.
    private(set) var entry = 0
    /// Offset of the moved instructions.
    private(set) var moved = 0
    /// Bytes of the moved instructions.
    private(set) var movedSize = 0
    /// Where stopped threads go on.
    private(set) var moves: [ThreadMove] = []

    private static let endbr64: [UInt8] = [0xF3, 0x0F, 0x1E, 0xFA]
    /// What the stub leads to: a hook, or the function that takes another's place.
    static let pointerOffset = 0
    /// The thunk that the stub leads to.
    static let thunkOffset = 8
    /// Where the beginning of a function goes on: what thunks and replacements call as the original.
    static let originalOffset = 64

    /// More bytes than a stub for these instructions takes.
    static func room(for window: PatchWindow) -> Int {
      originalOffset + 64 + window.instructions.reduce(0) { $0 + max($1.length, 8) + 16 }
    }

    /// Makes a stub without its pointer.
    ///
    /// - Parameter slot: where it will stand.
    init(_ purpose: Purpose, for window: PatchWindow, slot: UInt) throws(HookError) {
      switch purpose {
      case .entry:
        try makeEntry(of: window, slot) { stub in
          stub.append([0x4C, 0x8B, 0x1D], to: Self.pointerOffset)  // mov r11, [rip + hook]
          // cmp qword [r11 + table], 0
          stub.bytes += [0x49, 0x83, 0x7B, UInt8(CKEMON_HOOK_TABLE), 0]
          stub.append([0x0F, 0x84], to: Self.originalOffset + Self.endbr64.count)  // je
          stub.append([0xFF, 0x25], to: Self.thunkOffset)  // jmp [rip + thunk]
        }
      case .replacement:
        try makeEntry(of: window, slot) { $0.append([0xFF, 0x25], to: Self.pointerOffset) }
      case .callSite:
        try makeCallSite(of: window, slot)
      }
      if let thunk = try purpose.thunk(at: window.start) {
        setWord(thunk, at: Self.thunkOffset)
      }
      pad(to: (bytes.count + CodeSlab.alignment - 1) & ~(CodeSlab.alignment - 1))
    }

    /// Names what the stub leads to.
    mutating func setPointer(_ pointer: UInt) { setWord(pointer, at: Self.pointerOffset) }

    private mutating func makeEntry(
      of window: PatchWindow, _ slot: UInt, _ body: (inout Stub) -> Void
    ) throws(HookError) {
      bytes = [UInt8](repeating: 0xCC, count: 16)
      entry = bytes.count
      bytes += Self.endbr64
      body(&self)
      pad(to: Self.originalOffset)
      bytes += Self.endbr64
      try move(window.instructions, of: window, to: slot)
    }

    /// The instructions behind the call run after the thunk, so that they see the result that the post handler left.
    private mutating func makeCallSite(
      of window: PatchWindow, _ slot: UInt
    ) throws(HookError) {
      let back = Int(CKEMON_STUB_RETURN)
      let callThunk: [UInt8] = [0xFF, 0x15]  // call [rip + thunk], 6 bytes
      let loadEnd = back - callThunk.count - 4
      // At a call r11 holds nothing that anybody needs: it takes the target.
      let load = try CallTarget(window.instructions[0])
        .loadIntoR11(endingAt: slot &+ UInt(loadEnd))
      bytes = [UInt8](repeating: 0xCC, count: 16)
      pad(to: loadEnd - load.count - Self.endbr64.count)
      entry = bytes.count
      bytes += Self.endbr64
      bytes += load
      append(callThunk, to: Self.thunkOffset)
      precondition(bytes.count == back, "the thunk finds its hook by this distance")
      try move(Array(window.instructions.dropFirst()), of: window, to: slot)
    }

    /// The instructions for the place behind what has been written.
    private mutating func move(
      _ instructions: [Instruction], of window: PatchWindow, to slot: UInt
    ) throws(HookError) {
      moved = bytes.count
      let place = slot &+ UInt(moved)
      let relocator = Relocator(
        instructions: instructions, resume: window.end, returnsToOldPlace: window.tier != .copy)
      let code = try relocator.relocate(to: place)
      for (instruction, offset) in zip(instructions, code.offsets)
      where instruction.address != window.start
        && (window.tier == .copy || window.patched.contains(instruction.address))
      {
        moves.append(ThreadMove(from: instruction.address, to: place &+ UInt(offset)))
      }
      movedSize = code.bytes.count
      bytes += code.bytes
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

    private mutating func setWord(_ word: UInt, at offset: Int) {
      var word = word.littleEndian
      withUnsafeBytes(of: &word) { bytes.replaceSubrange(offset..<(offset + 8), with: $0) }
    }

    /// An instruction whose operand is something in the slot.
    private mutating func append(_ opcode: [UInt8], to offset: Int) {
      bytes += opcode
      bytes.append(littleEndian: Int32(offset - bytes.count - 4))
    }

    /// Fills with `int3`: nothing runs there.
    private mutating func pad(to offset: Int) {
      bytes += repeatElement(0xCC, count: max(0, offset - bytes.count))
    }
  }

  extension Stub.Purpose {
    /// Where its stub leads to; nil for a replacement.
    func thunk(at address: UInt) throws(HookError) -> UInt? {
      switch self {
      case .entry(let shape): try shape.thunk(isCallSite: false, at: address)
      case .callSite(let shape): try shape.thunk(isCallSite: true, at: address)
      case .replacement: nil
      }
    }
  }
#endif
