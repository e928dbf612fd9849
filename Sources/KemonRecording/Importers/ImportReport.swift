// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

/// What came of importing a trace.
///
/// Nothing disappears: ``inputs`` is always ``used`` plus everything in ``skipped``.
public struct ImportReport: Sendable {
  /// A place where the input is broken.
  public struct Problem: Sendable, Equatable, CustomStringConvertible {
    /// Where: a line, or a frame and its byte offset.
    public let place: String
    /// What was found there.
    public let message: String

    /// The place and what was found.
    public var description: String { "\(place): \(message)" }
  }

  /// The name of the format.
  public let format: String
  /// Records of the input that were read: lines or frames.
  public internal(set) var inputs = 0
  /// Those that went into an event.
  public internal(set) var used = 0
  /// Those that did not, by the reason.
  public internal(set) var skipped: [String: Int] = [:]
  /// Events that were written, by kind.
  public internal(set) var events: [EventKind: Int] = [:]
  /// Where the input is broken: the first 100 places.
  public internal(set) var problems: [Problem] = []
  /// How many such places there are.
  public internal(set) var problemCount = 0

  init(format: String) { self.format = format }

  /// How many events were written.
  public var eventCount: Int { events.values.reduce(0, +) }
  /// How many records of the input went into no event.
  public var skippedCount: Int { skipped.values.reduce(0, +) }
  /// Whether the whole input could be read: false means that lines or frames are broken, or that the end is missing.
  public var isComplete: Bool { problemCount == 0 }
}
