// SPDX-License-Identifier: Apache-2.0

import KemonBus
import KemonEvents
import KemonPlatform
import Synchronization

/// The memory that one plugin has for each process, and the thread that finds out when a piece can be used again.
final class PluginBlobs: Sendable {
  /// How many kinds of memory a plugin may have.
  static let slotLimit = 8

  private final class Slot: Sendable {
    let state: PosixLock<BlobSlot>
    init(_ slot: consuming BlobSlot) { state = PosixLock(slot) }
  }

  private let slots = PosixLock<[Slot]>([])
  private let thread = PosixLock<WorkerThread?>(nil)
  private let isOver = Atomic<Bool>(false)
  private let bell = FutexWord()

  /// Whose it is, for crash reports.
  private let pluginID: UInt32

  init(pluginID: UInt32) { self.pluginID = pluginID }

  /// Whether the plugin keeps anything by process.
  var isWanted: Bool { slots.withLock { !$0.isEmpty } }

  /// Reserves memory; nil when the plugin has too many kinds of it already.
  func reserve(
    bytes: Int, count: Int, fini: kemon_blob_fini?, context: UnsafeMutableRawPointer?
  ) -> UInt32? {
    slots.withLock { slots in
      guard slots.count < Self.slotLimit else { return nil }
      slots.append(
        Slot(BlobSlot(bytes: bytes, limit: count, fini: fini, context: context)))
      return UInt32(slots.count - 1)
    }
  }

  /// The memory for the process that acts in an event; nil when there is none.
  func get(_ slot: UInt32, _ subject: kemon_subject) -> UnsafeMutableRawPointer? {
    guard let slot = slots.withLock({ slot < $0.count ? $0[Int(slot)] : nil }) else { return nil }
    let key = BlobSlot.Key(pid: subject.pid, start: subject.start_ns)
    let (memory, isLeaving) = slot.state.withLock { ($0.get(key), $0.isLeaving) }
    if isLeaving { bell.signal() }
    return memory
  }

  /// A process has ended.
  func forget(pid: Int32, start: UInt64) {
    for slot in slots.withLock({ $0 }) {
      slot.state.withLock { $0.remove(BlobSlot.Key(pid: pid, start: start)) }
    }
    bell.signal()
  }

  /// What happened, as metrics of the plugin.
  func metrics(plugin: String) -> [PluginMetric] {
    slots.withLock { $0 }.enumerated()
      .flatMap { index, slot in
        let (evictions, refusals) = slot.state.withLock { ($0.evictions, $0.refusals) }
        return [
          ("evictions", "processes whose memory was taken for others", evictions),
          ("refusals", "requests for memory that was not there", refusals),
        ].map { name, help, count in
          PluginMetric(
            pluginID: pluginID, plugin: plugin, name: "host.blob\(index).\(name)", help: help,
            unit: "", value: .count(count))
        }
      }
  }

  // MARK: Memory that can be used again

  /// Starts the thread that waits for handlers to have left.
  func start(_ dispatcher: Dispatcher) {
    guard isWanted else { return }
    thread.withLock { thread in
      isOver.store(false, ordering: .relaxed)
      thread = WorkerThread(named: "blobs") { [unowned self] in
        while !isOver.load(ordering: .acquiring) {
          let value = bell.value
          if slots.withLock({ $0 }).contains(where: { $0.state.withLock { $0.isLeaving } }) {
            reclaim(waiting: { dispatcher.waitForCalls() })
          } else {
            bell.wait(from: value, nanoseconds: 1_000_000_000)
          }
        }
      }
    }
  }

  /// Ends the thread and says farewell to all memory; when no handler of the plugin runs any more.
  func stop() {
    isOver.store(true, ordering: .releasing)
    bell.signal()
    thread.withLock { $0.take() }?.join()
    for slot in slots.withLock({ $0 }) { slot.state.withLock { $0.removeAll() } }
    reclaim(waiting: {})
  }

  private func reclaim(waiting: () -> Void) {
    let all = slots.withLock { $0 }
    let taken = all.map { slot in slot.state.withLock { $0.takeLeaving() } }
    // Whoever had a pointer had it before.
    waiting()
    for (slot, places) in zip(all, taken) where !places.isEmpty {
      slot.state.withLock { $0.farewell(to: places) }?.tell(plugin: pluginID)
      slot.state.withLock { $0.reuse(places) }
    }
  }
}
