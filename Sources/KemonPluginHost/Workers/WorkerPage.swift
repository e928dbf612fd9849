// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import CKemonPlugin.Worker
import Glibc
import Synchronization

// Unchecked: constants, and words that one side stores and the other loads. A name is written once, behind a NUL that
// its first byte then replaces.
/// What a host tells all workers without sending it: the time and the names behind numbers; `kemon_worker_page`.
final class WorkerPage: @unchecked Sendable {
  static let nameBytes = 80
  static let pluginCount = 1 << 16
  static let handlerCount = 1 << 18
  private static let pluginsOffset = 4096
  private static let handlersOffset = pluginsOffset + pluginCount * nameBytes
  static let size = handlersOffset + handlerCount * nameBytes

  /// The page, for reading only; close-on-exec.
  let descriptor: Int32
  private let base: UnsafeMutableRawPointer
  private let isOwner: Bool

  /// Makes a page.
  init() throws(WorkerFailure) {
    let file = ckemon_memfd_create("kemon-page")
    guard file >= 0 else { throw WorkerFailure("no file in memory: \(describe(errno: -file))") }
    defer { close(file) }
    guard ftruncate(file, Self.size) == 0 else {
      throw WorkerFailure("a page of \(Self.size) bytes: \(describe(errno: errno))")
    }
    var error: Int32 = 0
    guard let map = ckemon_map_shared(file, Self.size, &error) else {
      throw WorkerFailure("the page cannot be mapped: \(describe(errno: error))")
    }
    // From here on the mapping is the only way to write, also for who opens the file again by its name below /proc.
    let sealed = ckemon_memfd_seal_for_mapped(file)
    let reading = sealed == 0 ? open("/proc/self/fd/\(file)", O_RDONLY | O_CLOEXEC) : sealed
    guard reading >= 0 else {
      let error = sealed == 0 ? errno : -sealed
      ckemon_unmap(map, Self.size)
      throw WorkerFailure("the page cannot be opened: \(describe(errno: error))")
    }
    descriptor = reading
    base = map
    isOwner = true
    let header = kemon_worker_page(
      size: UInt32(MemoryLayout<kemon_worker_page>.size), version: KEMON_WORKER_PROTOCOL,
      time_ns: 0, name_bytes: UInt32(Self.nameBytes), reserved: 0,
      plugins_off: UInt32(Self.pluginsOffset), plugins_count: UInt32(Self.pluginCount),
      handlers_off: UInt32(Self.handlersOffset), handlers_count: UInt32(Self.handlerCount))
    base.storeBytes(of: header, as: kemon_worker_page.self)
  }

  /// Maps the page of a host of the same build.
  init(reading descriptor: Int32) throws(WorkerFailure) {
    let map = mmap(nil, Self.size, PROT_READ, MAP_SHARED, descriptor, 0)
    guard let map, map != MAP_FAILED else {
      throw WorkerFailure("the host's page cannot be mapped: \(describe(errno: errno))")
    }
    self.descriptor = descriptor
    base = map
    isOwner = false
  }

  deinit {
    ckemon_unmap(base, Self.size)
    close(descriptor)
  }

  // MARK: Time

  private var clock: UnsafeMutablePointer<Atomic<UInt64>> {
    (base + 8).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// The event clock while it is virtual; 0 when it is the system's.
  var time: UInt64 {
    get { clock.pointee.load(ordering: .relaxed) }
    set { clock.pointee.store(newValue, ordering: .relaxed) }
  }

  // MARK: Names

  /// Names are for plugins or for handlers.
  enum Family { case plugin, handler }

  private func place(_ family: Family, _ id: UInt32) -> UnsafeMutablePointer<UInt8>? {
    let (offset, count) =
      family == .plugin
      ? (Self.pluginsOffset, Self.pluginCount) : (Self.handlersOffset, Self.handlerCount)
    guard id < count else { return nil }
    return (base + offset + Int(id) * Self.nameBytes).assumingMemoryBound(to: UInt8.self)
  }

  /// Gives a number its name; numbers that are too large for the page stay without.
  func set(_ name: String, for id: UInt32, _ family: Family) {
    let bytes = Array(name.utf8.prefix(Self.nameBytes - 1))
    guard isOwner, let first = bytes.first, let place = place(family, id) else { return }
    for index in bytes.indices.dropFirst() { place[index] = bytes[index] }
    UnsafeMutableRawPointer(place).assumingMemoryBound(to: Atomic<UInt8>.self)
      .pointee.store(first, ordering: .releasing)
  }

  /// The name behind a number, empty while it is unknown.
  func name(of id: UInt32, _ family: Family) -> UnsafePointer<CChar>? {
    place(family, id).map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
  }
}
