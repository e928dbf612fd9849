// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
  import CKemonPlatform

  /// Moves arguments and result of a hooked call between the call's frame and a list of values.
  struct FrameValues {
    let described: DescribedCall
    let frame: UnsafeMutablePointer<HookFrame>

    /// The caller's memory, for a function that returns in memory: handlers use it as it is.
    var resultInMemory: UnsafeMutableRawPointer? {
      guard described.layout.result == .memory else { return nil }
      return UnsafeMutableRawPointer(bitPattern: UInt(frame.pointee.rdi))
    }

    /// Fills a list of arguments.
    func readArguments(into values: UnsafeMutableRawPointer) {
      forEachPart { _, place, offset, count in
        (values + offset).copyMemory(from: place, byteCount: count)
      }
    }

    /// Changes the arguments that differ in a list.
    func writeArguments(from values: UnsafeRawPointer) {
      forEachPart { type, place, offset, count in
        Self.store(values + offset, type, count, at: place)
      }
    }

    /// Copies what the function returned.
    func readResult(into result: UnsafeMutableRawPointer) {
      switch described.layout.result {
      case .none, .memory: break
      case .x87: ckemon_x87_read(result)
      case .registers(let registers):
        forEachEightbyte(of: described.prototype.result, registers) { register, offset, count in
          (result + offset).copyMemory(from: resultAddress(register), byteCount: count)
        }
      }
    }

    /// Lets the caller get a result.
    func writeResult(from result: UnsafeRawPointer) {
      switch described.layout.result {
      case .none: break
      case .memory: frame.pointee.result = frame.pointee.rdi
      case .x87: ckemon_x87_write(result)
      case .registers(let registers):
        let type = described.prototype.result
        forEachEightbyte(of: type, registers) { register, offset, count in
          Self.store(result + offset, type, count, at: resultAddress(register))
        }
      }
    }

    // MARK: Where things are

    /// Calls the body for each piece of an argument that lies in one: its type, its place in the frame, and its offset in
    /// a list with its bytes.
    private func forEachPart(
      _ body: (DynamicType, UnsafeMutableRawPointer, Int, Int) -> Void
    ) {
      let layout = described.layout
      for (index, type) in described.prototype.arguments.enumerated() {
        let start = layout.offsets[index]
        switch layout.arguments[index] {
        case .stack(let offset):
          let stack = UnsafeMutableRawPointer(frame.pointee.stack_arguments)
          body(type, stack + offset, start, type.size)
        case .registers(let registers):
          forEachEightbyte(of: type, registers) { register, offset, count in
            body(type, argumentAddress(register), start + offset, count)
          }
        }
      }
    }

    private func forEachEightbyte(
      of type: DynamicType, _ registers: [CallLayout.Register],
      _ body: (CallLayout.Register, Int, Int) -> Void
    ) {
      var offset = 0
      for register in registers {
        body(register, offset, min(8, type.size - offset))
        offset += 8
      }
    }

    private func argumentAddress(_ register: CallLayout.Register) -> UnsafeMutableRawPointer {
      let base = UnsafeMutableRawPointer(frame)
      return switch register {
      case .integer(let index): base + Int(CKEMON_FRAME_RDI) + 8 * index
      case .vector(let index):
        base + Int(CKEMON_FRAME_VECTORS) + MemoryLayout<ckemon_vector>.stride * index
      }
    }

    private func resultAddress(_ register: CallLayout.Register) -> UnsafeMutableRawPointer {
      let base = UnsafeMutableRawPointer(frame)
      return switch register {
      case .integer(let index): base + Int(CKEMON_FRAME_RESULT) + 8 * index
      case .vector(let index):
        base + Int(CKEMON_FRAME_RESULT_VECTORS) + MemoryLayout<ckemon_vector>.stride * index
      }
    }

    /// Writes bytes of a value where they differ; small integers with their extension, on which compilers rely.
    private static func store(
      _ value: UnsafeRawPointer, _ type: DynamicType, _ count: Int,
      at place: UnsafeMutableRawPointer
    ) {
      let isSame = (0..<count).allSatisfy { index in
        value.load(fromByteOffset: index, as: UInt8.self)
          == place.load(fromByteOffset: index, as: UInt8.self)
      }
      if isSame { return }
      place.copyMemory(from: value, byteCount: count)
      guard case .scalar(let scalar) = type, !scalar.isFloating, count < 8 else { return }
      let unused = 64 - 8 * count
      let high = place.loadUnaligned(as: UInt64.self) << unused
      let word =
        scalar.isSigned ? UInt64(bitPattern: Int64(bitPattern: high) >> unused) : high >> unused
      place.storeBytes(of: word, as: UInt64.self)
    }
  }
#endif
