// SPDX-License-Identifier: Apache-2.0

/// How a function is made hookable.
public enum HookTier: String, Sendable, CaseIterable {
  /// The instructions under the jump are moved.
  case window
  /// A jump of the function leads back under the jump: the whole function is copied.
  case copy
  /// The function is shorter than the jump; the padding behind it is used.
  case padding
}

/// The whole instructions that a five-byte jump takes the place of.
struct PatchWindow: Equatable {
  /// Bytes of `jmp rel32`.
  static let jumpSize = 5

  let tier: HookTier
  /// What is moved: the instructions under the jump, or all to the end of the function.
  let instructions: [Instruction]
  /// The bytes under the jump.
  let original: [UInt8]
  /// Where the moved instructions go on.
  let end: UInt

  var start: UInt { instructions[0].address }
  var range: Range<UInt> { start..<end }
  /// The bytes that are really changed.
  var patched: Range<UInt> { start..<(start &+ UInt(Self.jumpSize)) }

  /// The instructions that begin under the jump.
  var replaced: [Instruction] { instructions.filter { patched.contains($0.address) } }

  /// Whether a thread can be stopped at an instruction that is replaced or left behind.
  var needsStop: Bool { instructions.count > 1 }

  /// The call that makes stopping the other threads not enough, or nil.
  ///
  /// Calls that are under way would return to what is replaced or left behind.
  var returnsInside: Instruction? {
    instructions.first { instruction in
      guard instruction.form.isCall else { return false }
      // A jump back to the window may follow anywhere in a function that is copied.
      return tier == .copy
        || (instruction.end < patched.upperBound && instruction.end > patched.lowerBound)
    }
  }

  /// The place of a call and what follows it.
  init(callSite address: UInt, of search: BranchSearch) throws(HookError) {
    let instructions = try search.function.decode(from: address) { code throws(HookError) in
      try Disassembler().instructions(in: code, at: address, covering: Self.jumpSize)
    }
    try self.init(.window, instructions, search.function)
    try search.requireBoundary(at: address)
    // The call itself may be jumped to: the jump to the stub then stands there.
    if let found = try search.first(into: patched, isEntry: false) {
      throw search.refusal(of: found, into: patched)
    }
  }

  /// The beginning of a function: behind its landing pad when that is possible.
  init(entryOf search: BranchSearch) throws(HookError) {
    let function = search.function
    var places = [function.start]
    if function.hasLandingPad { places.insert(function.start &+ 4, at: 0) }
    var obstacle: HookError?
    for place in places {
      do throws(HookError) {
        let window = try Self(at: place, of: function)
        guard let found = try search.first(into: window.patched, isEntry: true) else {
          self = window
          return
        }
        throw search.refusal(of: found, into: window.patched)
      } catch {
        obstacle = obstacle ?? error
      }
    }
    if let obstacle, obstacle.code != .branchIntoWindow { throw obstacle }
    self = try Self(copyFrom: places[0], of: search)
  }

  private init(at place: UInt, of function: FunctionCode) throws(HookError) {
    let instructions = try function.decode(from: place) { code throws(HookError) in
      try Disassembler().instructions(in: code, at: place, upTo: Self.jumpSize)
    }
    let size = instructions.reduce(0) { $0 + $1.bytes.count }
    if size >= Self.jumpSize {
      try self.init(.window, instructions, function)
      return
    }
    try self.init(paddedAt: place, instructions, size, function)
  }

  /// A short function and the padding behind it.
  private init(
    paddedAt place: UInt, _ instructions: [Instruction], _ size: Int, _ function: FunctionCode
  ) throws(HookError) {
    let endsFlow = instructions.last?.form.endsFlow == true
    guard let padding = Padding(behind: function, upTo: place &+ UInt(Self.jumpSize)),
      endsFlow || padding.nops != nil
    else {
      throw HookError(
        .tooShort, at: place,
        "\(size) bytes of code, a hook needs \(Self.jumpSize), and what follows is no padding")
    }
    tier = .padding
    if !endsFlow, let nops = padding.nops {
      // It runs on into the padding, which is moved, too.
      let code = instructions.flatMap(\.bytes) + nops
      self.instructions = try code.withUnsafeBufferPointer { code throws(HookError) in
        try Disassembler().instructions(
          in: UnsafeRawBufferPointer(code), at: place, upTo: Self.jumpSize)
      }
      original = Array(code.prefix(Self.jumpSize))
      end = place &+ UInt(code.count)
      return
    }
    self.instructions = instructions
    original = Array((instructions.flatMap(\.bytes) + padding.bytes).prefix(Self.jumpSize))
    end = place &+ UInt(size)
  }

  private init(
    _ tier: HookTier, _ instructions: [Instruction], _ function: FunctionCode
  ) throws(HookError) {
    guard let first = instructions.first, let last = instructions.last else {
      throw HookError(.tooShort, at: function.start, "no instructions")
    }
    self.tier = tier
    self.instructions = instructions
    original = Array(instructions.prefix(Self.jumpSize).flatMap(\.bytes).prefix(Self.jumpSize))
    end = last.end
    precondition(original.count == Self.jumpSize && first.address < end)
  }

  /// The whole function, because a jump in it leads back.
  private init(copyFrom place: UInt, of search: BranchSearch) throws(HookError) {
    let function = search.function
    let instructions = try function.decode(from: place) { code throws(HookError) in
      try Disassembler().instructions(in: code, at: place, upTo: code.count)
    }
    guard instructions.count <= 4096, instructions.reduce(0, { $0 + $1.bytes.count }) >= 5 else {
      throw HookError(.tooShort, at: place, "a function of this size is not copied")
    }
    let patched = place..<(place &+ UInt(Self.jumpSize))
    // What comes from elsewhere would still come: from a neighbour, from before the function, by a table of addresses.
    if let found = try search.first(into: patched, isEntry: true, except: place..<function.end) {
      throw search.refusal(of: found, into: patched)
    }
    let jump = instructions.first { $0.form.isIndirectJump && $0.ripDisplacementOffset == nil }
    if let jump {
      throw HookError(
        .branchIntoWindow, at: jump.address,
        "\(jump.text) may go to a part of the function that leads back to the \(Self.jumpSize) bytes at "
          + "0x\(String(place, radix: 16)) that the hook replaces")
    }
    try self.init(.copy, instructions, function)
  }
}

/// What fills the space between two functions.
struct Padding {
  let bytes: [UInt8]
  /// The same to the end of the last instruction; nil when some of it traps.
  let nops: [UInt8]?

  /// Reads what stands behind a function, if it is proven to be padding: it does nothing, and no function begins there.
  init?(behind function: FunctionCode, upTo end: UInt) {
    guard end > function.end else { return nil }
    let range = function.end..<end
    if let next = function.extent.nextStart, next < end, next >= function.end { return nil }
    let found = TextPatcher.read(range)
    var whole = 0
    var traps = false
    let isNothing = found.withUnsafeBytes { bytes in
      var offset = 0
      defer { whole = offset }
      while offset < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
        if rest[0] == 0xCC {
          traps = true
          offset += 1
          continue
        }
        // A longer nop goes on behind the end; what is on the next page need not exist.
        let place = range.lowerBound &+ UInt(offset)
        let more = TextPatcher.read(place..<max(end, min(end &+ 11, (place | 0xFFF) &+ 1)))
        let size = more.withUnsafeBytes { code in
          MachineCode(code).flatMap { $0.isNothing(code) ? $0.length : nil }
        }
        guard let size else { return false }
        offset += size
      }
      return true
    }
    guard isNothing else { return nil }
    for address in range {
      var size = 0
      if FunctionExtent.isCovered(address) { return nil }
      if let pointer = UnsafeRawPointer(bitPattern: address),
        FunctionExtent.hasSymbol(pointer, &size)
      {
        return nil
      }
    }
    bytes = found
    nops =
      traps ? nil : TextPatcher.read(range.lowerBound..<(range.lowerBound &+ UInt(whole)))
  }
}
