// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonPluginHost

/// What was decided on every event of a round, reduced to one hash.
///
/// It covers kind, verdict, errno, mask, replacement, reason code and the decider's name of every event, and plugin,
/// action, errno and reason code of every vote; no times and no numbers that another set of plugins would change. So it
/// is the same in every round and on every machine, as long as plugins decide the same.
struct VerdictDigest {
  private var words: [UInt64] = []
  private var nameHashes: [UInt32: UInt64] = [:]
  private let name: (UInt32) -> String?

  /// - Parameter name: the name behind a plugin's id.
  init(capacity: Int, name: @escaping (UInt32) -> String?) {
    words.reserveCapacity(capacity)
    self.name = name
  }

  /// Forgets everything, but keeps the memory.
  mutating func reset() { words.removeAll(keepingCapacity: true) }

  /// Adds one event.
  mutating func add(_ record: RecordView, _ verdict: Verdict) {
    let event = record.event
    words.append(
      UInt64(event.pointee.kind) | UInt64(verdict.action.rawValue) << 16
        | UInt64(UInt32(bitPattern: verdict.error)) << 32)
    words.append(verdict.allowMask)
    words.append(UInt64(bitPattern: verdict.replacement ?? .min))
    words.append(nameHash(verdict.decidedBy) ^ UInt64(verdict.reasonCode))
    for index in 0..<record.voteCount {
      let vote = record.vote(index)
      words.append(
        nameHash(vote.plugin_id) ^ UInt64(vote.reason_code) << 16 ^ UInt64(vote.action)
          ^ UInt64(UInt32(bitPattern: vote.err)) << 32)
    }
  }

  /// SHA-256 of everything that was added, in hexadecimal.
  var text: String {
    // Little endian on every machine.
    words.map(\.littleEndian).withUnsafeBytes { SHA256.hexDigest(of: $0) }
  }

  private mutating func nameHash(_ id: UInt32) -> UInt64 {
    if let hash = nameHashes[id] { return hash }
    // FNV-1a, only to bring names of any length to a word.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in (id == 0 ? "" : name(id) ?? "?").utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    nameHashes[id] = hash
    return hash
  }
}
