// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// A release of the kernel, as far as its MAC table goes.
public struct MACRelease: Sendable, Hashable {
  /// As XNU calls it, as in `4570.71.2`.
  public let xnu: String
  /// The systems that came with it, as in `macOS 10.13.6`.
  public let systems: [String]
  /// The version of Darwin; nil when it is not known.
  public let darwin: String?
  /// MAC_POLICY_OPS_VERSION of its header; nil before there was one.
  ///
  /// Two tables share 13: see ``MACTable``.
  public let opsVersion: Int?
  /// A text that only releases with an equal table share.
  public let abi: String
  let tableIndex: Int

  /// Its dispatch table.
  public var table: MACTable { MACTable.all[tableIndex] }

  /// Every release whose source was published with the table, oldest first: Mac OS X 10.5 to macOS 15.5.
  public static let all: [MACRelease] = {
    var count = 0
    let rows = UnsafeBufferPointer(start: kernel_mac_releases(&count), count: count)
    return rows.map { row in
      let darwin = String(cString: row.darwin)
      return MACRelease(
        xnu: String(cString: row.xnu),
        systems: String(cString: row.macos).split(separator: ",").map(String.init),
        darwin: darwin.isEmpty ? nil : darwin,
        opsVersion: row.version == 0 ? nil : Int(row.version),
        abi: String(cString: row.abi), tableIndex: Int(row.table))
    }
  }()

  /// The release of that name: `10.13.6`, `macOS 10.13.6` or `4570.71.2`.
  public static func named(_ name: String) -> MACRelease? {
    all.first { release in
      release.xnu == name || release.systems.contains { $0 == name || $0.hasSuffix(" \(name)") }
    }
  }

  /// The version of the first of its systems, as in `10.13.6`.
  public var version: String {
    systems.first?.split(separator: " ").last.map(String.init) ?? xnu
  }
}

extension KernelRelease {
  /// The MAC table of the kernel; a development kernel has that of its release.
  var macTable: MACTable? {
    MACTable.named(String(name.prefix { $0 != "-" }))
  }

  /// MAC_POLICY_OPS_VERSION of the kernel.
  var macOpsVersion: UInt32 {
    UInt32(MACRelease.named(String(name.prefix { $0 != "-" }))?.opsVersion ?? 0)
  }
}
