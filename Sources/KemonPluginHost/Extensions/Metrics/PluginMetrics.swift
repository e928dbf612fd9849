// SPDX-License-Identifier: Apache-2.0

import KemonEvents
import KemonPlatform
import Synchronization

// Unchecked: the list is behind a lock; cells and histograms are atomics that are never freed, as plugins keep them.
/// The metrics that one plugin has made.
final class PluginMetrics: @unchecked Sendable {
  /// How many a plugin may have.
  static let countLimit = 64
  private static let cellBytes = MemoryLayout<kemon_cell>.stride

  /// What a metric is called.
  struct Description: Equatable {
    let name: String
    let help: String
    let unit: String

    /// Checks what a plugin said.
    init(
      _ name: UnsafePointer<CChar>, help: UnsafePointer<CChar>?, unit: UnsafePointer<CChar>?
    ) throws(PluginRefusal) {
      let name = try ForeignStruct.text(name, limit: 64, named: "a metric's name")
      guard !name.isEmpty, name.utf8.allSatisfy(Self.isAllowed) else {
        throw PluginRefusal(
          KEMON_E_INVALID,
          "metric \"\(name)\": needed are lower case letters, digits, _ and . in its name")
      }
      guard !name.hasPrefix(HandlerRequest.reservedPrefix) else {
        throw PluginRefusal(
          KEMON_E_INVALID,
          "metric \"\(name)\" begins with \"\(HandlerRequest.reservedPrefix)\", as the host's own do"
        )
      }
      self.name = name
      self.help = try Self.text(help, limit: 200, "metric \"\(name)\": help")
      self.unit = try Self.text(unit, limit: 16, "metric \"\(name)\": unit")
    }

    private static func text(
      _ pointer: UnsafePointer<CChar>?, limit: Int, _ place: String
    ) throws(PluginRefusal) -> String {
      guard let pointer else { return "" }
      let text = try ForeignStruct.text(pointer, limit: limit, named: place)
      guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
      else { throw PluginRefusal(KEMON_E_INVALID, "\(place) has control characters") }
      return text
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
  }

  private enum Source {
    case counter(UnsafeMutablePointer<kemon_cell>)
    case histogram(MetricHistogram)
  }

  private let list = PosixLock<[(description: Description, source: Source)]>([])
  /// The names that the plugin's present generation has used.
  private let taken = PosixLock<Set<String>>([])
  /// The addresses of histograms by their ids, for readers without the lock.
  private let histograms: UnsafeMutablePointer<Atomic<UInt>>

  init() {
    histograms = .allocate(capacity: Self.countLimit)
    for index in 0..<Self.countLimit { (histograms + index).initialize(to: Atomic(0)) }
  }

  /// Lets a new generation of the plugin ask for the metrics of those before: they go on counting.
  func beginGeneration() { taken.withLock { $0 = [] } }

  /// Makes a counter and gives its cells.
  func addCounter(
    _ description: Description
  ) throws(PluginRefusal) -> UnsafeMutablePointer<kemon_cell> {
    let bytes = Int(KEMON_LANES) * Self.cellBytes
    return try add(
      description,
      again: { source, _ in
        if case .counter(let cells) = source { cells } else { nil }
      }
    ) { _ in
      let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.cellBytes)
      memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
      let cells = memory.assumingMemoryBound(to: kemon_cell.self)
      return (.counter(cells), cells)
    }
  }

  /// Makes a histogram and gives its id.
  func addHistogram(_ description: Description) throws(PluginRefusal) -> UInt32 {
    try add(
      description,
      again: { source, index in
        if case .histogram = source { UInt32(index) } else { nil }
      }
    ) { index in
      let histogram = MetricHistogram()
      histograms[index].store(histogram.address, ordering: .releasing)
      return (.histogram(histogram), UInt32(index))
    }
  }

  /// - Parameter again: what is given for a metric of an earlier generation; nil when it is of another sort.
  private func add<Result>(
    _ description: Description, again: (Source, Int) -> Result?, _ make: (Int) -> (Source, Result)
  ) throws(PluginRefusal) -> Result {
    try list.withLock { list throws(PluginRefusal) in
      let isNew = taken.withLock { $0.insert(description.name).inserted }
      if isNew, let index = list.firstIndex(where: { $0.description == description }),
        let known = again(list[index].source, index)
      {
        return known
      }
      guard list.count < Self.countLimit else {
        throw PluginRefusal(KEMON_E_FULL, "a plugin has at most \(Self.countLimit) metrics")
      }
      guard !list.contains(where: { $0.description.name == description.name }) else {
        throw PluginRefusal(KEMON_E_INVALID, "metric \"\(description.name)\" is there already")
      }
      let (source, result) = make(list.count)
      list.append((description, source))
      return result
    }
  }

  /// Adds a value to a histogram; false when there is none of this id.
  ///
  /// Any thread; takes no lock.
  func record(_ value: UInt64, in id: UInt32) -> Bool {
    guard id < UInt32(Self.countLimit),
      let histogram = MetricHistogram(address: histograms[Int(id)].load(ordering: .acquiring))
    else { return false }
    histogram.record(value)
    return true
  }

  /// What was counted so far.
  func values(pluginID: UInt32, plugin: String) -> [PluginMetric] {
    list.withLock { list in
      list.map { entry in
        PluginMetric(
          pluginID: pluginID, plugin: plugin, name: entry.description.name,
          help: entry.description.help, unit: entry.description.unit,
          value: Self.value(entry.source))
      }
    }
  }

  private static func value(_ source: Source) -> PluginMetric.Value {
    switch source {
    case .histogram(let histogram): .distribution(histogram.distribution)
    case .counter(let cells):
      .count(
        (0..<Int(KEMON_LANES)).reduce(0) { sum, lane in
          let cell = UnsafeMutableRawPointer(cells + lane)
            .assumingMemoryBound(to: Atomic<UInt64>.self)
          return sum &+ cell.pointee.load(ordering: .relaxed)
        })
    }
  }
}
