// SPDX-License-Identifier: Apache-2.0

/// What of an event a handler's answer depends on, beside the kind and the filter.
///
/// With it the host may remember an answer that is ``Vote/cacheable()`` and give it for equal events without calling.
public struct CacheFields: OptionSet, Sendable {
  /// `KEMON_CACHE_*`.
  public let rawValue: UInt32

  /// Takes any bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private init(_ bit: Int32) { rawValue = UInt32(bit) }

  /// The process: its pid, and when it started.
  public static let pid = CacheFields(KEMON_CACHE_PID)
  /// The pid of its parent.
  public static let ppid = CacheFields(KEMON_CACHE_PPID)
  /// Its user.
  public static let uid = CacheFields(KEMON_CACHE_UID)
  /// Its group.
  public static let gid = CacheFields(KEMON_CACHE_GID)
  /// The path of its image.
  public static let exe = CacheFields(KEMON_CACHE_EXE)
  /// Its short name.
  public static let comm = CacheFields(KEMON_CACHE_COMM)
  /// The path or both paths of the payload.
  public static let path = CacheFields(KEMON_CACHE_PATH)
  /// Device and inode of the payload.
  public static let file = CacheFields(KEMON_CACHE_FILE)
  /// The whole payload, with its texts.
  public static let payload = CacheFields(KEMON_CACHE_PAYLOAD)
}
