// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import Synchronization

/// What the kernel image calls of the model.
final class MACCallbacks: Sendable {
  private let records: KernelRecords
  private let table: MACTable
  private let prototypes: [MACPrototype]
  private let isSilent = Atomic<Bool>(false)

  init(table: MACTable, records: KernelRecords) {
    self.table = table
    self.records = records
    prototypes = table.slots.map { MACPrototype.of($0) }
  }

  /// The list of a kernel with this table; nil without memory.
  ///
  /// This object must outlive it.
  func boot() -> OpaquePointer? {
    // Every table has the three: MACTableTests proves it.
    guard let initialize = table.slot(of: "policy_init"),
      let bsd = table.slot(of: "policy_initbsd"),
      let destroy = table.slot(of: "policy_destroy")
    else { return nil }
    var options = kernel_mac_options(
      chunk: table.chunk, label_slots: table.labelSlots, init: UInt32(initialize),
      initbsd: UInt32(bsd), destroy: UInt32(destroy),
      context: Unmanaged.passUnretained(self).toOpaque(),
      log: { context, line in
        guard let line else { return }
        MACCallbacks.with(context) { $0.log(line) }
      },
      call: { context, slot, function, words in
        guard let function, let words else { return 0 }
        return MACCallbacks.with(context) {
          $0.prototypes[Int(slot)].call(function, words: words)
        }
      })
    return kernel_mac_create(&options)
  }

  /// Lets nobody see the kernel's lines from now on.
  func silence() { isSilent.store(true, ordering: .relaxed) }

  private func log(_ line: UnsafePointer<CChar>) {
    if !isSilent.load(ordering: .relaxed) { records.log(String(cString: line)) }
  }

  private static func with<Result>(
    _ context: UnsafeMutableRawPointer?, _ body: (MACCallbacks) -> Result
  ) -> Result {
    guard let context else { preconditionFailure("a kernel without its model") }
    return Unmanaged<MACCallbacks>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
  }
}

extension MACTable {
  /// By how many entries the kernel's list of policies grows.
  ///
  /// Source: XNU `security/mac_internal.h`: 512, from macOS 11 on 8.
  fileprivate var chunk: UInt32 {
    let small = MACTable.named("7195.50.7.100.1")?.index ?? .max
    return index >= small ? 8 : 512
  }

  /// How many policies can have a slot in the labels of objects: 8 in 10.5, then 7.
  fileprivate var labelSlots: UInt32 {
    let seven = MACTable.named("1456.1.26")?.index ?? 0
    return index < seven ? 8 : 7
  }
}
