// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents

/// `kemon.blob/1`: memory for each process.
enum BlobExtension {
  static let row = HostExtension(
    KEMON_EXT_BLOB,
    kemon_ext_blob(
      size: UInt32(MemoryLayout<kemon_ext_blob>.size), reserved: 0,
      reserve: { host, bytes, count, fini, context, slot in
        guard let plugin = HostTable.plugin(host) else { return KEMON_E_INVALID }
        guard plugin.isControlThread else { return KEMON_E_STATE }
        guard let slot, (1...UInt32(KEMON_BLOB_BYTES_MAX)).contains(bytes),
          (1...UInt32(KEMON_BLOB_COUNT_MAX)).contains(count)
        else {
          plugin.noteMisbehaviour()
          return KEMON_E_INVALID
        }
        guard
          let number = plugin.blobs.reserve(
            bytes: Int(bytes), count: Int(count), fini: fini, context: context)
        else { return KEMON_E_FULL }
        slot.pointee = number
        return KEMON_OK
      },
      get: { host, slot, event in
        guard let plugin = HostTable.plugin(host) else { return nil }
        // An observer is not among those who are waited for before memory is used again.
        guard let event, !Observer.isCurrentThread else {
          plugin.noteMisbehaviour()
          return nil
        }
        return plugin.blobs.get(slot, event.pointee.subject)
      }))
}
