// SPDX-License-Identifier: Apache-2.0

/// Makes kext executables byte by byte, as Apple's linker lays them out.
struct MachOBuilder {
  var cpu: UInt32 = 0x0100_0007
  var subtype: UInt32 = 3
  var fileType: UInt32 = 11
  var identifier = "com.example.driver"
  var version = "1.2.3"
  /// The code at the beginning of the executable segment: `push rbp; mov rbp, rsp; xor eax, eax; pop rbp; ret`, and
  /// eight bytes behind it another one.
  var code: [UInt8] = [
    0x55, 0x48, 0x89, 0xE5, 0x31, 0xC0, 0x5D, 0xC3,
    0x55, 0x31, 0xC0, 0x5D, 0xC3,
  ]
  var imports = ["_IOLog", "_mac_policy_register"]
  /// The policies that are declared: names, flags, and slots with the offset of their handler in the code.
  var policies: [Policy] = []

  struct Policy {
    var name = "procmon_m"
    var fullName = "procmon_m"
    var flags: UInt32 = 2
    var labels: UInt32 = 0
    var slots: [Int: UInt64] = [6: 8]
  }

  static let codeAddress: UInt64 = 0x1000
  static let dataAddress: UInt64 = 0x2000
  static let kmodAddress = dataAddress

  private static let opsSize = 335 * 8

  /// The executable.
  var bytes: [UInt8] {
    let data = self.data
    let (symbols, strings) = tables
    let headerSize: UInt64 = 32 + 2 * 72 + 72 + 24 + 24
    let codeOffset = (headerSize + 15) & ~15
    let dataOffset = codeOffset + UInt64(code.count + 15) & ~15
    let linkOffset = dataOffset + UInt64(data.count)
    var out: [UInt8] = []
    out.append(littleEndian: UInt32(0xFEED_FACF))
    for number in [cpu, subtype, fileType, 5, UInt32(headerSize - 32), 1, 0] {
      out.append(littleEndian: number)
    }
    out += segment("__TEXT", Self.codeAddress, code.count, codeOffset, 5)
    out += segment("__DATA", Self.dataAddress, data.count, dataOffset, 3)
    out += segment(
      "__LINKEDIT", 0x10_0000, symbols.count + strings.count, linkOffset, 1)
    for number in [
      2, 24, UInt32(linkOffset), UInt32(symbols.count / 16),
      UInt32(linkOffset) + UInt32(symbols.count), UInt32(strings.count),
    ] {
      out.append(littleEndian: number)
    }
    out.append(littleEndian: UInt32(0x1B))
    out.append(littleEndian: UInt32(24))
    out += (0..<16).map { UInt8($0) }
    out += [UInt8](repeating: 0, count: Int(codeOffset) - out.count)
    out += code
    out += [UInt8](repeating: 0, count: Int(dataOffset) - out.count)
    return out + data + symbols + strings
  }

  private func segment(
    _ name: String, _ address: UInt64, _ size: Int, _ offset: UInt64, _ protection: UInt32
  ) -> [UInt8] {
    var out: [UInt8] = []
    out.append(littleEndian: UInt32(0x19))
    out.append(littleEndian: UInt32(72))
    out += Self.field(name, 16)
    for number in [address, UInt64((size + 0xFFF) & ~0xFFF), offset, UInt64(size)] {
      out.append(littleEndian: number)
    }
    for number in [7, protection, 0, 0] as [UInt32] { out.append(littleEndian: number) }
    return out
  }

  /// kmod_info, then for each policy its conf, its table and its texts.
  private var data: [UInt8] {
    var out: [UInt8] = []
    out.append(littleEndian: UInt64(0))
    out.append(littleEndian: UInt32(1))
    out.append(littleEndian: UInt32.max)
    out += Self.field(identifier, 64) + Self.field(version, 64)
    out += [UInt8](repeating: 0, count: 180 - out.count)
    out.append(littleEndian: Self.codeAddress)
    out.append(littleEndian: Self.codeAddress + 8)
    out += [UInt8](repeating: 0, count: 4)
    for policy in policies { out += declaration(policy, at: Self.dataAddress + UInt64(out.count)) }
    return out
  }

  private func declaration(_ policy: Policy, at address: UInt64) -> [UInt8] {
    let texts = Array(policy.name.utf8) + [0] + Array(policy.fullName.utf8) + [0]
    let ops = address + 80
    let name = ops + UInt64(Self.opsSize)
    var out: [UInt8] = []
    out.append(littleEndian: name)
    out.append(littleEndian: name + UInt64(policy.name.utf8.count) + 1)
    out.append(littleEndian: UInt64(0))
    out.append(littleEndian: UInt64(policy.labels))
    out.append(littleEndian: ops)
    out.append(littleEndian: UInt64(policy.flags))
    out += [UInt8](repeating: 0, count: 32)
    for slot in 0..<335 {
      out.append(littleEndian: policy.slots[slot].map { Self.codeAddress + $0 } ?? 0)
    }
    out += texts
    return out + [UInt8](repeating: 0, count: (8 - out.count % 8) % 8)
  }

  private var tables: (symbols: [UInt8], strings: [UInt8]) {
    var symbols: [UInt8] = []
    var strings: [UInt8] = [0]
    func add(_ name: String, _ type: UInt8, _ section: UInt8, _ value: UInt64) {
      symbols.append(littleEndian: UInt32(strings.count))
      symbols += [type, section, 0, 0]
      symbols.append(littleEndian: value)
      strings += Array(name.utf8) + [0]
    }
    add("_kmod_info", 0x0F, 2, Self.kmodAddress)
    add("_driver_start", 0x0F, 1, Self.codeAddress)
    add("_driver_stop", 0x0E, 1, Self.codeAddress + 8)
    add("a debugger's entry", 0x24, 1, Self.codeAddress)
    for name in imports { add(name, 0x01, 0, 0) }
    return (symbols, strings)
  }

  private static func field(_ text: String, _ size: Int) -> [UInt8] {
    let bytes = Array(text.utf8.prefix(size))
    return bytes + [UInt8](repeating: 0, count: size - bytes.count)
  }

  /// Where the first slice of a fat file begins.
  static let firstSlice = 512

  /// A fat file of several executables.
  static func fat(_ images: [(cpu: UInt32, subtype: UInt32, bytes: [UInt8])], wide: Bool = false)
    -> [UInt8]
  {
    var header: [UInt8] = []
    header.append(bigEndian: wide ? 0xCAFE_BABF : 0xCAFE_BABE as UInt32)
    header.append(bigEndian: UInt32(images.count))
    var body: [UInt8] = []
    let start = Self.firstSlice
    for image in images {
      header.append(bigEndian: image.cpu)
      header.append(bigEndian: image.subtype)
      if wide {
        header.append(bigEndian: UInt64(start + body.count))
        header.append(bigEndian: UInt64(image.bytes.count))
        header.append(bigEndian: UInt32(12))
        header.append(bigEndian: UInt32(0))
      } else {
        header.append(bigEndian: UInt32(start + body.count))
        header.append(bigEndian: UInt32(image.bytes.count))
        header.append(bigEndian: UInt32(12))
      }
      body += image.bytes
    }
    return header + [UInt8](repeating: 0, count: start - header.count) + body
  }
}

extension Array where Element == UInt8 {
  mutating func append<Value: FixedWidthInteger>(littleEndian value: Value) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  mutating func append<Value: FixedWidthInteger>(bigEndian value: Value) {
    append(littleEndian: value.byteSwapped)
  }

  /// The bytes with a number put in somewhere.
  func with<Value: FixedWidthInteger>(_ value: Value, at offset: Int) -> [UInt8] {
    var copy = self
    Swift.withUnsafeBytes(of: value.littleEndian) { number in
      copy.replaceSubrange(offset..<offset + number.count, with: number)
    }
    return copy
  }
}
