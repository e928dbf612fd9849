// SPDX-License-Identifier: Apache-2.0

public import KemonBus
import KemonText

/// What workers may use, and how long the host waits for them.
public struct WorkerLimits: Sendable {
  /// Bytes of address space beyond what the worker's own program has.
  public var memory: UInt64 = 1 << 30
  /// Descriptors.
  public var descriptors: UInt64 = 256
  /// Bytes of a file that it writes.
  public var fileSize: UInt64 = 256 << 20
  /// Nanoseconds that a call of a handler may take, where the handler asks for no limit of its own.
  public var budget: UInt64 = 1_000_000_000
  /// Nanoseconds that a handler may go on when nobody waits for it any more; then its worker is ended.
  public var grace: UInt64 = 1_000_000_000
  /// Nanoseconds for create, and for start.
  public var startTime: UInt64 = 30_000_000_000
  /// Nanoseconds for what is left when it is stopped.
  public var stopTime: UInt64 = 5_000_000_000
  /// Nanoseconds between two looks at its state, which the next process gets when this one ends by accident.
  public var checkpoint: UInt64 = 1_000_000_000
  /// Nanoseconds before the first restart; doubles with each.
  public var firstDelay: UInt64 = 10_000_000
  /// When it has ended too often, and for how long it is then left alone.
  public var strikes = StrikeBook.Rules()
  /// Lanes, for plugins whose handlers may run at the same time; 0: one for each processor, at most four.
  public var lanes = 0

  /// The default limits.
  public init() {}
}

extension WorkerLimits {
  /// What a worker has to keep, as it is told.
  var json: JSONValue {
    .object([
      "memory": .integer(Int64(clamping: memory)),
      "descriptors": .integer(Int64(clamping: descriptors)),
      "file_size": .integer(Int64(clamping: fileSize)),
    ])
  }

  /// Reads it in the worker.
  init(_ json: JSONValue) {
    let number = { (member: String) in
      json.value(at: member)?.integer.flatMap { UInt64(exactly: $0) }
    }
    self.init()
    memory = number("memory") ?? memory
    descriptors = number("descriptors") ?? descriptors
    fileSize = number("file_size") ?? fileSize
  }
}
