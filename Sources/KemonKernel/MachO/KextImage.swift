// SPDX-License-Identifier: Apache-2.0

/// What a kext's executable says about itself, for one processor.
public struct KextImage: Sendable {
  /// The processor.
  public let architecture: MachOArchitecture
  /// The identifier in its kmod_info; nil when it has none.
  public let identifier: String?
  /// The version in its kmod_info; nil when it has none.
  public let version: String?
  /// The UUID that the linker gave it, 16 bytes.
  public let uuid: [UInt8]?
  /// Where it begins in memory, before it is linked into a kernel.
  public let base: UInt64
  /// Bytes in memory.
  public let size: UInt64
  /// Where its start routine is; nil when it says nothing.
  public let start: UInt64?
  /// Where its stop routine is; nil when it says nothing.
  public let stop: UInt64?
  /// The symbol at the start routine; nil when there is none.
  public let startSymbol: String?
  /// The bytes of code at the start routine, as many as are worth reading.
  public let startCode: [UInt8]
  /// Names of what it needs from the kernel and from other kexts, sorted.
  public let imports: [String]
  /// The MAC policies that it declares.
  public let policies: [DeclaredPolicy]

  /// Whether it calls the function that registers MAC policies.
  public var registersPolicies: Bool { imports.contains("mac_policy_register") }

  private static let codeToRead: UInt64 = 256

  /// Reads a slice.
  ///
  /// - Throws: where it is broken, or that it is no kext.
  init(_ slice: MachOSlices.Slice) throws(MachOError) {
    let image = try MachOImage(slice)
    architecture = image.architecture
    uuid = image.uuid
    (base, size) = image.extent
    imports = image.symbols.imports
    policies = image.declaredPolicies
    guard let kmod = image.symbols.addresses["_kmod_info"] else {
      (identifier, version, start, stop, startSymbol, startCode) = (nil, nil, nil, nil, nil, [])
      return
    }
    guard let info = image.bytes(at: kmod, atMost: 196), info.count == 196 else {
      throw image.bytes.malformed(
        0,
        "kmod_info is said to be at 0x\(String(kmod, radix: 16)), where the file has no 196 bytes")
    }
    identifier = try info.part(at: 16, count: 64, "kmod_info").fixedText
    version = try info.part(at: 80, count: 64, "kmod_info").fixedText
    let (entry, exit) = (image.pointer(at: kmod + 180), image.pointer(at: kmod + 188))
    start = entry == 0 ? nil : entry
    stop = exit == 0 ? nil : exit
    startSymbol = entry.flatMap { image.symbols.names[$0] }
    let isCode = entry.flatMap(image.segment(at:))?.isExecutable ?? false
    startCode =
      isCode
      ? entry.flatMap { image.bytes(at: $0, atMost: Self.codeToRead)?.array } ?? [] : []
  }
}
