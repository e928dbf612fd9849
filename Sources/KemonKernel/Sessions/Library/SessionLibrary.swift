// SPDX-License-Identifier: Apache-2.0

/// The sessions that come with Kemon: one row and one JSON file each.
enum SessionLibrary {
  /// The texts, by the names of their files.
  static let all: [(name: String, json: [UInt8])] = [
    ("mandiant-monitor", PackageResources.mandiant_monitor_json),
    ("mac-listing", PackageResources.mac_listing_json),
    ("mac-blocking", PackageResources.mac_blocking_json),
    ("dns-query", PackageResources.dns_query_json),
    ("kext-lifecycle", PackageResources.kext_lifecycle_json),
    ("ksbox", PackageResources.ksbox_json),
    ("mixed-day", PackageResources.mixed_day_json),
    ("file-ops", PackageResources.file_ops_json),
    ("processes", PackageResources.processes_json),
    ("dylibs", PackageResources.dylibs_json),
    ("kauth-listener", PackageResources.kauth_listener_json),
    ("anti-debug", PackageResources.anti_debug_json),
    ("kauth-limitation-1", PackageResources.kauth_limitation_1_json),
    ("kauth-limitation-2", PackageResources.kauth_limitation_2_json),
    ("kauth-limitation-3", PackageResources.kauth_limitation_3_json),
    ("kauth-limitation-4", PackageResources.kauth_limitation_4_json),
    ("kauth-limitation-5", PackageResources.kauth_limitation_5_json),
  ]
}

extension Session {
  /// The names of the sessions that come with Kemon, as they are listed.
  public static let shippedNames = SessionLibrary.all.map(\.name)

  /// A session that comes with Kemon; nil when there is none of that name.
  public static func shipped(_ name: String) -> Session? {
    guard let (_, json) = SessionLibrary.all.first(where: { $0.name == name }) else { return nil }
    do {
      return try Session(json: json, file: "\(name).json")
    } catch {
      preconditionFailure("a session that comes with Kemon is broken: \(error)")
    }
  }

  /// The session of the talk: kextd loads com.mandiant.monitor 0.9.2.
  public static let mandiantMonitor: Session = {
    guard let session = shipped("mandiant-monitor") else {
      preconditionFailure("the session of the talk does not come with Kemon")
    }
    return session
  }()
}
