// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Why a cache forgot every answer.
public enum CacheFlushReason: Int, Sendable, CaseIterable {
  /// A handler came, went, was replaced, enabled or disabled.
  case handlersChanged
  /// The configuration of a plugin changed, so that it may answer differently.
  case configurationChanged
  /// An operator or a plugin asked for it.
  case requested
}

/// What happened in a ``VerdictCache``.
public struct VerdictCacheStatistics: Sendable, Equatable {
  /// Events that were answered without asking anybody.
  public var hits: UInt64 = 0
  /// Events that no answer was remembered for.
  public var misses: UInt64 = 0
  /// Answers that were remembered.
  public var stores: UInt64 = 0
  /// Answers that made room for others.
  public var evictions: UInt64 = 0
  /// Answers that were found and were too old.
  public var expired: UInt64 = 0
  /// Events for which the handlers were asked because another thread was at the place.
  public var busy: UInt64 = 0
  /// Events whose key is too long.
  public var oversized: UInt64 = 0
  /// How often everything was forgotten, by reason.
  public var flushes: [CacheFlushReason: UInt64] = [:]

  /// Nothing happened yet.
  public init() {}
}

/// The statistics as several threads count them.
struct VerdictCacheCounters: ~Copyable {
  enum Field: Int { case hits, misses, stores, evictions, expired, busy, oversized, flushes }

  private let words: RingWord

  init() {
    let count = Field.flushes.rawValue + CacheFlushReason.allCases.count
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 8, alignment: 64)
    memory.initializeMemory(as: UInt64.self, repeating: 0, count: count)
    words = memory.assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  deinit { UnsafeMutableRawPointer(words).deallocate() }

  func count(_ field: Field) { words[field.rawValue].wrappingAdd(1, ordering: .relaxed) }

  func count(flush reason: CacheFlushReason) {
    words[Field.flushes.rawValue + reason.rawValue].wrappingAdd(1, ordering: .relaxed)
  }

  private func get(_ index: Int) -> UInt64 { words[index].load(ordering: .relaxed) }

  var statistics: VerdictCacheStatistics {
    var result = VerdictCacheStatistics()
    result.hits = get(Field.hits.rawValue)
    result.misses = get(Field.misses.rawValue)
    result.stores = get(Field.stores.rawValue)
    result.evictions = get(Field.evictions.rawValue)
    result.expired = get(Field.expired.rawValue)
    result.busy = get(Field.busy.rawValue)
    result.oversized = get(Field.oversized.rawValue)
    for reason in CacheFlushReason.allCases {
      result.flushes[reason] = get(Field.flushes.rawValue + reason.rawValue)
    }
    return result
  }
}
