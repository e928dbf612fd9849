// SPDX-License-Identifier: Apache-2.0

import KemonEvents

/// `kemon.typed/1`: what signatures come to, and services between plugins.
enum TypedExtension {
  static let row = HostExtension(
    KEMON_EXT_TYPED,
    kemon_ext_typed(
      size: UInt32(MemoryLayout<kemon_ext_typed>.size), reserved: 0,
      describe: { host, kind, signature, out, capacity, error in
        HostTable.plugin(host)?.describe(kind, signature, out, capacity, error) ?? KEMON_E_INVALID
      },
      provide: { host, name, signature, function, context, error in
        HostTable.plugin(host)?.provide(name, signature, function, context, error)
          ?? KEMON_E_INVALID
      },
      find: { host, name, signature, service, error in
        HostTable.plugin(host)?.find(name, signature, service, error) ?? KEMON_E_INVALID
      },
      call: { host, service, result, arguments in
        HostTable.plugin(host)?.call(service, result, arguments) ?? KEMON_E_INVALID
      }))
}
