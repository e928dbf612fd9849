// SPDX-License-Identifier: Apache-2.0

public import KemonEvents

/// A condition on an event, compiled once and checked before a handler is called.
///
/// ```
/// path ^= '/etc/' and not uid in (0, 501)
/// ```
///
/// Texts: `path`, `exe`, `comm`, `kind`, `op` with `==`, `!=`, `^=` (starts with). Numbers: `pid`, `ppid`, `uid`, `gid`
/// with `==`, `!=`, `in (1, 2)`. Joined by `and`, `or`, `not` and parentheses. `path` is true when either path of an event with
/// two paths matches; a kind without a path never matches, so that `path != 'x'` is true for it. `op` is the name of a MAC
/// operation, as in `op == 'mpo_vnode_check_open'`; no other event has one.
public struct EventFilter: Sendable, CustomStringConvertible {
  /// The text that the filter was made from.
  public let description: String
  private let storage: Storage

  /// Compiles a filter.
  ///
  /// - Throws: what is wrong and at which line and column.
  public init(parsing text: String) throws(FilterError) {
    var parser = FilterParser(text)
    storage = Storage(try parser.parse())
    description = text
  }

  /// Whether the condition holds; any thread, allocates nothing.
  public func matches(_ record: RecordView) -> Bool { storage.program.matches(record) }

  /// The program for the handler table; lives as long as the filter does.
  var program: FilterProgram { storage.program }

  // Unchecked: the program's memory is constant.
  private final class Storage: @unchecked Sendable {
    let program: FilterProgram
    init(_ program: FilterProgram) { self.program = program }
    deinit { program.deallocate() }
  }
}

/// Why a text is not a filter.
public struct FilterError: Error, Equatable, CustomStringConvertible {
  /// The line of the offending text, from 1.
  public let line: Int
  /// Its column in bytes, from 1.
  public let column: Int
  /// What was found and what is needed.
  public let message: String

  /// The message with its place.
  public var description: String { "filter \(line):\(column): \(message)" }
}
