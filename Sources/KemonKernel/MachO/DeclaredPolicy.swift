// SPDX-License-Identifier: Apache-2.0

/// A MAC policy that a kext declares: a mac_policy_conf in its data, found by its structure.
public struct DeclaredPolicy: Sendable, Equatable {
  /// A handler in its table of operations.
  public struct Handler: Sendable, Equatable {
    /// The slot of the operation in the table.
    public let slot: Int
    /// Where the handler is.
    public let address: UInt64
    /// The handler's symbol; nil when it has none.
    public let symbol: String?
  }

  /// The name that no other policy may have.
  public let name: String
  /// The name for people.
  public let fullName: String
  /// Bits MPC_LOADTIME_FLAG_*.
  public let loadtimeFlags: UInt32
  /// Where the mac_policy_conf is.
  public let conf: UInt64
  /// Where its table of operations is.
  public let ops: UInt64
  /// Those of its slots that are filled.
  public let handlers: [Handler]
}

extension MachOImage {
  /// The policies that the image declares, in the order of their addresses.
  ///
  /// A conf is 80 bytes: two texts, label names and their number (four at most), a table of operations whose slots are
  /// empty or point into code, flags of four bits, and fields that the kernel fills in.
  var declaredPolicies: [DeclaredPolicy] {
    segments.filter { !$0.isExecutable && $0.fileSize >= 80 }.flatMap { segment in
      // Aligned as the compiler aligns a struct with pointers.
      let first = (segment.address &+ 7) & ~7
      let last = segment.address &+ segment.fileSize &- 80
      guard first >= segment.address, first <= last else { return [DeclaredPolicy]() }
      return stride(from: first, through: last, by: 8).compactMap { policy(at: $0) }
    }
  }

  private func policy(at address: UInt64) -> DeclaredPolicy? {
    // Most of a data segment is zeroes: they are no policy, whatever the format of pointers.
    guard let conf = bytes(at: address, atMost: 80), conf.count == 80, conf.word(at: 0) != 0,
      let labels = conf.word(at: 24), labels <= 4,
      let flags = conf.word(at: 40), flags <= 0xF,
      let runtime = conf.word(at: 56), runtime & 0xFFFF_FFFE == 0
    else { return nil }
    guard let nameAddress = pointer(at: address), let name = text(at: nameAddress, longest: 63),
      Self.isName(name),
      let fullAddress = pointer(at: address + 8), let full = text(at: fullAddress, longest: 255),
      isNothingOrData(at: address + 16), isNothingOrData(at: address + 48),
      let ops = pointer(at: address + 32), let handlers = handlers(at: ops), !handlers.isEmpty
    else { return nil }
    return DeclaredPolicy(
      name: name, fullName: full, loadtimeFlags: UInt32(flags), conf: address, ops: ops,
      handlers: handlers)
  }

  /// The filled slots of a table of operations; nil when a slot points to something else than code.
  ///
  /// Releases have 314 or 335 slots. What follows a shorter table may be anything: what is no slot ends it.
  private func handlers(at ops: UInt64) -> [DeclaredPolicy.Handler]? {
    guard ops & 7 == 0, let segment = segment(at: ops), !segment.isExecutable else { return nil }
    let (shortest, longest) = (314, 335)
    var handlers: [DeclaredPolicy.Handler] = []
    for slot in 0..<longest {
      let address = ops &+ UInt64(slot) * 8
      guard segment.contains(address) else { return slot < shortest ? nil : handlers }
      guard let target = pointer(at: address), target != 0 else { continue }
      guard self.segment(at: target)?.isExecutable == true else {
        return slot < shortest ? nil : handlers
      }
      handlers.append(
        DeclaredPolicy.Handler(slot: slot, address: target, symbol: symbols.names[target]))
    }
    return handlers
  }

  private func isNothingOrData(at address: UInt64) -> Bool {
    guard let target = pointer(at: address), target != 0 else { return true }
    return segment(at: target).map { !$0.isExecutable } ?? false
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
  }
}
