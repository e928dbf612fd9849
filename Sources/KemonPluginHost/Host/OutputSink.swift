// SPDX-License-Identifier: Apache-2.0

/// Where the lines of plugins go: what `kemon.output/1` writes to.
public protocol OutputSink: AnyObject, Sendable {
  /// Appends whole lines; a missing newline at the end is added, so that lines of two writers never mix.
  ///
  /// Any thread. Lines of one call stay together.
  ///
  /// - Parameter mayWait: whether the calling thread may wait for room; a thread that owes a verdict may not.
  func write(_ bytes: UnsafeRawBufferPointer, mayWait: Bool) -> OutputResult
}

/// What became of lines that were given to an ``OutputSink``.
public enum OutputResult: Sendable {
  /// They will be written.
  case accepted
  /// There was no room; they are dropped and counted.
  case full
  /// They are more than the sink can ever hold; dropped and counted.
  case tooLarge
  /// The other end is gone, or the sink is closed; dropped and counted.
  case closed
}

/// What became of everything that was given to a sink.
public struct OutputAccount: Sendable, Equatable {
  /// Calls that were accepted.
  public var acceptedWrites: UInt64 = 0
  /// Bytes that were accepted.
  public var acceptedBytes: UInt64 = 0
  /// Calls whose lines were dropped.
  public var droppedWrites: UInt64 = 0
  /// Bytes that were dropped, accepted ones that could not be written any more included.
  public var droppedBytes: UInt64 = 0
  /// Bytes that were written, or thrown away on purpose.
  public var writtenBytes: UInt64 = 0
}
