// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents

// Unchecked: it has one owner, who keeps it behind a lock; the context belongs to the plugin.
/// Memory of one plugin for each process: who has which piece, and which was asked for longest ago.
///
/// Pieces are never given back to the system while the plugin lives, so that a pointer to one is never to nowhere. A piece
/// that has lost its process is used again when nobody can be at it any more, which somebody else finds out.
struct BlobSlot: ~Copyable, @unchecked Sendable {
  /// A process, for ever.
  struct Key: Hashable {
    let pid: Int32
    let start: UInt64
  }

  private struct Piece {
    let memory: UnsafeMutableRawPointer
    var key: Key?
    /// Neighbours in the order of use; `none` at the ends.
    var older = BlobSlot.none
    var newer = BlobSlot.none
  }

  private static let none = -1

  let bytes: Int
  private let limit: Int
  private let fini: kemon_blob_fini?
  private let context: UnsafeMutableRawPointer?

  private var pieces: [Piece] = []
  private var places: [Key: Int] = [:]
  private var oldest = BlobSlot.none
  private var newest = BlobSlot.none
  /// Pieces that nobody has.
  private var unused: [Int] = []
  /// Pieces that have lost their process, and that a handler may still be at.
  private var leaving: [Int] = []

  /// Processes whose piece was taken for another one.
  private(set) var evictions: UInt64 = 0
  /// Requests for which there was no piece.
  private(set) var refusals: UInt64 = 0

  init(bytes: Int, limit: Int, fini: kemon_blob_fini?, context: UnsafeMutableRawPointer?) {
    self.bytes = bytes
    self.limit = limit
    self.fini = fini
    self.context = context
  }

  deinit { for piece in pieces { piece.memory.deallocate() } }

  /// How many processes have a piece.
  var count: Int { places.count }

  /// Whether pieces wait for nobody to be at them.
  var isLeaving: Bool { !leaving.isEmpty }

  /// The piece of a process, zeroed when it is new; nil when there is none left.
  mutating func get(_ key: Key) -> UnsafeMutableRawPointer? {
    if let place = places[key] {
      unlink(place)
      append(place)
      return pieces[place].memory
    }
    guard let place = unused.popLast() ?? make() else {
      refusals += 1
      return nil
    }
    if places.count >= limit, oldest != Self.none {
      evictions += 1
      leave(oldest)
    }
    pieces[place].memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    pieces[place].key = key
    places[key] = place
    append(place)
    return pieces[place].memory
  }

  /// A process has ended.
  mutating func remove(_ key: Key) {
    if let place = places[key] { leave(place) }
  }

  /// All processes lose their pieces.
  mutating func removeAll() {
    while oldest != Self.none { leave(oldest) }
  }

  /// Takes the pieces out that have lost their process, for ``finish(_:)``.
  mutating func takeLeaving() -> [Int] {
    defer { leaving = [] }
    return leaving
  }

  /// What is to be told about pieces before they are used again.
  func farewell(to places: [Int]) -> Farewell? {
    fini.map { Farewell(fini: $0, context: context, memory: places.map { pieces[$0].memory }) }
  }

  /// A function of the plugin, and what it is to be called with.
  struct Farewell {
    let fini: kemon_blob_fini
    let context: UnsafeMutableRawPointer?
    let memory: [UnsafeMutableRawPointer]

    func tell(plugin: UInt32) {
      HandlerCrumb.current.during("fini", ofPlugin: plugin) {
        for piece in memory { fini(context, piece) }
      }
    }
  }

  /// Pieces may be used again.
  mutating func reuse(_ places: [Int]) { unused += places }

  /// Makes a piece; twice as many as there are processes, because as many may be leaving.
  private mutating func make() -> Int? {
    guard pieces.count < 2 * limit else { return nil }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
    pieces.append(Piece(memory: memory))
    return pieces.count - 1
  }

  private mutating func leave(_ place: Int) {
    unlink(place)
    if let key = pieces[place].key { places[key] = nil }
    pieces[place].key = nil
    leaving.append(place)
  }

  // MARK: The order of use

  private mutating func append(_ place: Int) {
    pieces[place].older = newest
    pieces[place].newer = Self.none
    if newest != Self.none { pieces[newest].newer = place } else { oldest = place }
    newest = place
  }

  private mutating func unlink(_ place: Int) {
    let (older, newer) = (pieces[place].older, pieces[place].newer)
    if older != Self.none { pieces[older].newer = newer } else { oldest = newer }
    if newer != Self.none { pieces[newer].older = older } else { newest = older }
  }
}
