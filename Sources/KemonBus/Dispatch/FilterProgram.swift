// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import KemonEvents

/// A compiled filter: postfix instructions over a stack of bits, in raw memory that never changes.
///
/// Evaluating it allocates nothing and counts no references.
struct FilterProgram {
  enum Field: UInt8 { case path, exe, comm, kind, operation, pid, ppid, uid, gid }

  enum Operation: UInt8 { case equals, startsWith, isIn, isOfKind, and, or, not }

  struct Instruction {
    var operation: Operation
    var field: Field = .path
    /// Where the operand lies: bytes of a text, or numbers of a list.
    var start: Int32 = 0
    var count: Int32 = 0
  }

  /// Nesting that a program may have: bits of the stack.
  static let depthLimit = 64

  let instructions: UnsafeBufferPointer<Instruction>
  let bytes: UnsafeBufferPointer<UInt8>
  let numbers: UnsafeBufferPointer<Int64>

  init(_ instructions: [Instruction], bytes: [UInt8], numbers: [Int64]) {
    self.instructions = Self.copy(instructions)
    self.bytes = Self.copy(bytes)
    self.numbers = Self.copy(numbers)
  }

  func deallocate() {
    instructions.deallocate()
    bytes.deallocate()
    numbers.deallocate()
  }

  private static func copy<Element>(_ array: [Element]) -> UnsafeBufferPointer<Element> {
    let buffer = UnsafeMutableBufferPointer<Element>.allocate(capacity: max(array.count, 1))
    _ = buffer.initialize(from: array)
    return UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<array.count])
  }

  func matches(_ record: RecordView) -> Bool {
    var stack: UInt64 = 0
    for instruction in instructions {
      switch instruction.operation {
      case .equals, .startsWith, .isIn, .isOfKind:
        stack = stack << 1 | (holds(instruction, record) ? 1 : 0)
      case .and:
        stack = (stack >> 1) & (stack | ~1)
      case .or:
        stack = (stack >> 1) | (stack & 1)
      case .not:
        stack ^= 1
      }
    }
    return stack & 1 != 0
  }

  private func holds(_ instruction: Instruction, _ record: RecordView) -> Bool {
    let event = record.event
    switch instruction.field {
    case .path:
      let (first, second) = PathOffsets.of(record.kind)
      return holds(instruction, record, payloadOffset: first)
        || holds(instruction, record, payloadOffset: second)
    case .exe: return compare(instruction, record.bytes(event.pointee.subject.exe))
    case .comm: return compare(instruction, record.bytes(event.pointee.subject.comm))
    case .kind: return isMarked(instruction, record.kind)
    case .operation:
      return PathOffsets.isOperation(record.kind)
        && holds(instruction, record, payloadOffset: PathOffsets.operation)
    case .pid: return contains(instruction, Int64(event.pointee.subject.pid))
    case .ppid: return contains(instruction, Int64(event.pointee.subject.ppid))
    case .uid: return contains(instruction, Int64(event.pointee.subject.uid))
    case .gid: return contains(instruction, Int64(event.pointee.subject.gid))
    }
  }

  private func holds(
    _ instruction: Instruction, _ record: RecordView, payloadOffset: UInt16
  ) -> Bool {
    let offset = Int(payloadOffset)
    let header = record.event
    guard payloadOffset != PathOffsets.none,
      offset + MemoryLayout<kemon_str>.size <= Int(header.pointee.payload_size)
    else { return false }
    let string = (record.bytes.baseAddress ?? UnsafeRawPointer(header))
      .loadUnaligned(
        fromByteOffset: Int(header.pointee.payload_off) + offset, as: kemon_str.self)
    return string.off != 0 && compare(instruction, record.bytes(string))
  }

  private func compare(_ instruction: Instruction, _ text: UnsafeRawBufferPointer) -> Bool {
    let count = Int(instruction.count)
    guard
      instruction.operation == .startsWith ? text.count >= count : text.count == count
    else { return false }
    guard count > 0, let left = text.baseAddress, let right = bytes.baseAddress else { return true }
    return memcmp(left, right + Int(instruction.start), count) == 0
  }

  /// A kind's bit in the mask that the text was compiled to.
  private func isMarked(_ instruction: Instruction, _ kind: EventKind) -> Bool {
    let number = Int(kind.rawValue)
    guard number < EventKind.limit else { return false }
    return numbers[Int(instruction.start) + number / 64] >> Int64(number % 64) & 1 != 0
  }

  /// The parts of an event that the result depends on.
  var fieldsRead: CacheDeclaration.Fields {
    var fields: CacheDeclaration.Fields = []
    for instruction in instructions {
      switch instruction.operation {
      case .and, .or, .not, .isOfKind: continue
      case .equals, .startsWith, .isIn: break
      }
      switch instruction.field {
      case .path: fields.insert(.path)
      case .exe: fields.insert(.exe)
      case .comm: fields.insert(.comm)
      case .kind: break
      case .operation: fields.insert(.payload)
      case .pid: fields.insert(.pid)
      case .ppid: fields.insert(.ppid)
      case .uid: fields.insert(.uid)
      case .gid: fields.insert(.gid)
      }
    }
    return fields
  }

  private func contains(_ instruction: Instruction, _ number: Int64) -> Bool {
    for index in 0..<Int(instruction.count)
    where numbers[Int(instruction.start) + index] == number {
      return true
    }
    return false
  }
}

/// Where the texts of each kind lie in its payload that filters ask for, in a table for the hot path.
enum PathOffsets {
  static let none = UInt16.max

  static func of(_ kind: EventKind) -> (UInt16, UInt16) {
    if kind.isDeclared { return offsets(kind) }
    let number = Int(kind.rawValue)
    return number < EventKind.limit ? table[number] : (none, none)
  }

  /// Where the name of an operation lies in `kemon_mac_op`.
  static let operation = UInt16(MemoryLayout<kemon_mac_op>.offset(of: \.op_name) ?? Int(none))

  static func isOperation(_ kind: EventKind) -> Bool {
    kind == EventKind(KEMON_KIND_MAC_OP) || kind == EventKind(KEMON_KIND_MAC_OP_PRE)
  }

  // Filled in once and never freed: it lives as long as the process.
  nonisolated(unsafe) private static let table: UnsafePointer<(UInt16, UInt16)> = {
    let table = UnsafeMutablePointer<(UInt16, UInt16)>.allocate(capacity: EventKind.limit)
    table.initialize(repeating: (none, none), count: EventKind.limit)
    for kind in EventKind.allKinds { table[Int(kind.rawValue)] = offsets(kind) }
    return UnsafePointer(table)
  }()

  private static func offsets(_ kind: EventKind) -> (UInt16, UInt16) {
    guard let offsets = kind.info?.pathOffsets, let first = offsets.first else {
      return (none, none)
    }
    return (UInt16(first), offsets.count > 1 ? UInt16(offsets[1]) : none)
  }
}
