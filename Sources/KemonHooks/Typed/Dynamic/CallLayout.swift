// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
  /// Where the arguments and the result of a call are: the System V ABI for x86-64, section 3.2.3.
  struct CallLayout: Sendable {
    /// A register that holds eight bytes of a value.
    enum Register: Sendable, Equatable {
      case integer(Int), vector(Int)
    }

    enum Place: Sendable, Equatable {
      /// One for each eight bytes.
      case registers([Register])
      /// So many bytes behind the first word of the stack arguments.
      case stack(Int)
    }

    enum ResultPlace: Sendable, Equatable {
      case none
      /// rax and rdx, xmm0 and xmm1.
      case registers([Register])
      /// The top of the x87 stack.
      case x87
      /// Memory that the caller names in rdi.
      case memory
    }

    let arguments: [Place]
    let result: ResultPlace
    /// Words of arguments on the stack.
    let stackWords: Int
    /// Where a list of the arguments' values has each of them, and its bytes.
    let offsets: [Int]
    let size: Int

    init(_ prototype: DynamicPrototype) {
      result = Self.place(ofResult: prototype.result)
      var integers = result == .memory ? 1 : 0
      var vectors = 0
      var stacked = 0
      var places: [Place] = []
      var offsets: [Int] = []
      var end = 0
      for type in prototype.arguments {
        if let registers = Self.registers(for: type, from: integers, vectors),
          registers.allSatisfy(Self.isThere)
        {
          places.append(.registers(registers))
          for register in registers {
            if case .vector = register { vectors += 1 } else { integers += 1 }
          }
        } else {
          let alignment = max(8, type.alignment)
          stacked = (stacked + alignment - 1) & -alignment
          places.append(.stack(stacked))
          stacked += (type.size + 7) & ~7
        }
        offsets.append(end)
        end += (type.size + 15) & ~15
      }
      arguments = places
      stackWords = stacked / 8
      self.offsets = offsets
      size = end
    }

    /// How much of the vector registers a hook of such a function must keep.
    var vectors: VectorWidth {
      let all = arguments + (Self.registers(of: result).map { [.registers($0)] } ?? [])
      let needsNone = all.allSatisfy { place in
        guard case .registers(let registers) = place else { return false }
        return registers.allSatisfy { if case .vector = $0 { false } else { true } }
      }
      return needsNone ? .integersOnly : .bytes16
    }

    private static func registers(of result: ResultPlace) -> [Register]? {
      if case .registers(let registers) = result { registers } else { nil }
    }

    /// rdi, rsi, rdx, rcx, r8, r9; xmm0 to xmm7.
    private static func isThere(_ register: Register) -> Bool {
      switch register {
      case .integer(let index): index < 6
      case .vector(let index): index < 8
      }
    }

    private static func place(ofResult type: DynamicType) -> ResultPlace {
      if type == .scalar(.void) { return .none }
      if let registers = registers(for: type, from: 0, 0) { return .registers(registers) }
      return type.isLongDouble ? .x87 : .memory
    }

    /// The registers for a value when so many are taken already; nil when it lies in memory.
    private static func registers(
      for type: DynamicType, from integers: Int, _ vectors: Int
    ) -> [Register]? {
      guard let isVector = type.eightbytes else { return nil }
      var integers = integers
      var vectors = vectors
      return isVector.map { isVector in
        if isVector {
          vectors += 1
          return .vector(vectors - 1)
        }
        integers += 1
        return .integer(integers - 1)
      }
    }
  }

  extension DynamicType {
    /// Whether it is a long double and nothing else.
    fileprivate var isLongDouble: Bool {
      switch self {
      case .scalar: false
      case .longDouble: true
      case .structure(let members): members.count == 1 && members[0].isLongDouble
      }
    }

    /// For each eight bytes whether there are only floating point numbers in them; nil for what lies in memory.
    fileprivate var eightbytes: [Bool]? {
      guard size <= 16 else { return nil }
      var classes = [Bool](repeating: true, count: (size + 7) / 8)
      return classify(at: 0, &classes) ? classes : nil
    }

    /// Returns false for a long double.
    private func classify(at offset: Int, _ classes: inout [Bool]) -> Bool {
      switch self {
      case .longDouble: return false
      case .scalar(let type):
        if !type.isFloating { classes[offset / 8] = false }
        return true
      case .structure(let members):
        var isKnown = true
        Self.forEachMember(of: members) { member, inner in
          if !member.classify(at: offset + inner, &classes) { isKnown = false }
        }
        return isKnown
      }
    }
  }
#endif
