// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// `kemon.output/1`: lines for standard output.
enum OutputExtension {
  static let row = HostExtension(
    KEMON_EXT_OUTPUT,
    kemon_ext_output(
      size: UInt32(MemoryLayout<kemon_ext_output>.size), reserved: 0,
      write: { host, bytes, length in
        HostTable.plugin(host)?.write(bytes, length) ?? KEMON_E_INVALID
      }))
}
