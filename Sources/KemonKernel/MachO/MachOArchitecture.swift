// SPDX-License-Identifier: Apache-2.0

/// A processor that kexts are made for.
public enum MachOArchitecture: String, Sendable, CaseIterable {
  /// Intel, 64 bits.
  case x86_64
  /// Intel, 64 bits, Haswell and later.
  case x86_64h
  /// Apple silicon without pointer authentication.
  case arm64
  /// Apple silicon with pointer authentication.
  case arm64e

  /// The architecture of a pair of Mach-O numbers; nil for others.
  init?(cpu: UInt32, subtype: UInt32) {
    // The upper byte has flags: capabilities, and the version of arm64e's ABI.
    switch (cpu, subtype & 0x00FF_FFFF) {
    case (0x0100_0007, 8): self = .x86_64h
    case (0x0100_0007, _): self = .x86_64
    case (0x0100_000C, 2): self = .arm64e
    case (0x0100_000C, _): self = .arm64
    default: return nil
    }
  }

  /// Whether it is Intel's.
  var isIntel: Bool { self == .x86_64 || self == .x86_64h }
}
