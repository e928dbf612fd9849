// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonPlatform

/// Which probe is behind the table that a plugin calls through: every call is looked up, so that a table that no host
/// handed out is noticed.
enum ProbeRegistry {
  private static let probes = PosixLock<[(table: UInt, probe: UInt)]>([])

  static func add(_ probe: Probe) {
    let entry = (
      table: UInt(bitPattern: probe.table),
      probe: UInt(bitPattern: Unmanaged.passUnretained(probe).toOpaque())
    )
    probes.withLock { $0.append(entry) }
  }

  static func remove(_ probe: Probe) {
    let address = UInt(bitPattern: probe.table)
    probes.withLock { $0.removeAll { $0.table == address } }
  }

  /// The probe of a table; that of the last one for a table that is unknown.
  static func find(_ host: UnsafePointer<kemon_host>?) -> Probe? {
    let known = probes.withLock { $0 }
    let address = UInt(bitPattern: host)
    let exact = known.first { $0.table == address }
    if exact == nil {
      last(known)?.note(.foreignHost, "calls the host with another table than its own")
    }
    return exact.flatMap(object) ?? last(known)
  }

  private static func last(_ known: [(table: UInt, probe: UInt)]) -> Probe? {
    known.last.flatMap(object)
  }

  private static func object(_ entry: (table: UInt, probe: UInt)) -> Probe? {
    UnsafeRawPointer(bitPattern: entry.probe)
      .map { Unmanaged<Probe>.fromOpaque($0).takeUnretainedValue() }
  }
}

extension kemon_host {
  /// A fake host's table with a look at every call on its way there.
  static func watched(_ fake: kemon_host) -> kemon_host {
    var table = fake
    table.ext = { host, id in
      guard let probe = ProbeRegistry.find(host) else { return nil }
      probe.saw("ext")
      return probe.real.pointee.ext(probe.real, id)
    }
    table.log = { host, level, bytes, length in
      guard let probe = ProbeRegistry.find(host) else { return }
      probe.saw("log")
      probe.real.pointee.log(probe.real, level, bytes, length)
    }
    table.on = { host, handler, token, error in
      guard let probe = ProbeRegistry.find(host) else { return KEMON_E_INVALID }
      return probe.register(handler, token, error)
    }
    table.off = { host, token in
      guard let probe = ProbeRegistry.find(host) else { return KEMON_E_INVALID }
      probe.sawControl("off")
      return KEMON_E_NOTFOUND
    }
    table.now = { host in
      guard let probe = ProbeRegistry.find(host) else { return 0 }
      probe.saw("now")
      return probe.real.pointee.now(probe.real)
    }
    return table
  }
}
