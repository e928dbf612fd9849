// SPDX-License-Identifier: Apache-2.0

internal import KemonEvents

/// What of an event a handler's answer depends on, and how long it holds.
public struct CacheDeclaration: Sendable, Equatable {
  /// Parts of an event; the `KEMON_CACHE_*` bits.
  public struct Fields: OptionSet, Sendable {
    /// The bits.
    public let rawValue: UInt32
    /// Makes a set of bits, known or not.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The process: pid and start time.
    public static let pid = Fields(rawValue: UInt32(KEMON_CACHE_PID))
    /// The parent's pid.
    public static let ppid = Fields(rawValue: UInt32(KEMON_CACHE_PPID))
    /// The user.
    public static let uid = Fields(rawValue: UInt32(KEMON_CACHE_UID))
    /// The group.
    public static let gid = Fields(rawValue: UInt32(KEMON_CACHE_GID))
    /// The executable's path.
    public static let exe = Fields(rawValue: UInt32(KEMON_CACHE_EXE))
    /// The command's name.
    public static let comm = Fields(rawValue: UInt32(KEMON_CACHE_COMM))
    /// The paths of the payload.
    public static let path = Fields(rawValue: UInt32(KEMON_CACHE_PATH))
    /// Device and inode of the payload.
    public static let file = Fields(rawValue: UInt32(KEMON_CACHE_FILE))
    /// The whole payload.
    public static let payload = Fields(rawValue: UInt32(KEMON_CACHE_PAYLOAD))
    /// All bits that this version knows.
    public static let known: Fields = [
      .pid, .ppid, .uid, .gid, .exe, .comm, .path, .file, .payload,
    ]
  }

  /// Not to be cached.
  public static let none = CacheDeclaration(fields: [])

  /// What the answer depends on; empty = not to be cached.
  public var fields: Fields
  /// Nanoseconds of event time that the answer holds; 0 = until handlers change.
  public var lifetime: UInt64

  /// Declares what an answer depends on.
  public init(fields: Fields, lifetime: UInt64 = 0) {
    self.fields = fields
    self.lifetime = lifetime
  }

  /// What the answers of several handlers together depend on; nil when one of them must be asked every time.
  static func union(of entries: [HandlerEntry]) -> CacheDeclaration? {
    guard !entries.isEmpty else { return nil }
    var union = CacheDeclaration.none
    for entry in entries {
      guard !entry.cache.fields.isEmpty else { return nil }
      union.fields.formUnion(entry.cache.fields)
      // Whether a handler is asked at all depends on what its filter reads.
      union.fields.formUnion(entry.filter?.fieldsRead ?? [])
      if entry.mutes != nil { union.fields.formUnion([.pid, .path]) }
      let lifetime = entry.cache.lifetime
      if lifetime != 0 {
        union.lifetime = union.lifetime == 0 ? lifetime : min(union.lifetime, lifetime)
      }
    }
    return union
  }
}
