// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// `kemon.names/1`: the names behind the ids of votes.
enum NamesExtension {
  static let row = HostExtension(
    KEMON_EXT_NAMES,
    kemon_ext_names(
      size: UInt32(MemoryLayout<kemon_ext_names>.size), reserved: 0,
      plugin: { host, id in
        HostTable.plugin(host)?.services.pluginNames.name(of: id) ?? CText.empty
      },
      handler: { host, id in
        HostTable.plugin(host)?.services.handlerNames.name(of: id) ?? CText.empty
      }))
}
