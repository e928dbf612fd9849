// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlatform
public import KemonEvents

/// Where a thread writes down in which handler it is, for those who come when the process has died of it.
///
/// Plain stores to memory that only the thread itself writes: two for an event, one for each handler, one at the end.
public struct HandlerCrumb {
  private let crumb: UnsafeMutablePointer<ckemon_crumb>

  /// The crumb of a thread by its number.
  @inline(__always)
  init(thread: Int) { crumb = ckemon_crumb_of(UInt32(truncatingIfNeeded: thread)) }

  /// The crumb of the calling thread.
  public static var current: HandlerCrumb { HandlerCrumb(thread: HandlerCounters.thread()) }

  /// What ``set(_:)`` takes.
  @inline(__always)
  public static func owner(plugin: UInt32, handler: UInt32) -> UInt64 {
    UInt64(handler) << 32 | UInt64(plugin)
  }

  /// Whose handler the thread is in; 0 for none.
  public var owner: UInt64 { crumb.pointee.owner }

  /// The plugin whose handler or function the thread is in; 0 for none.
  public var plugin: UInt32 { UInt32(truncatingIfNeeded: crumb.pointee.owner) }

  /// Whether the thread is in a handler, not in another function of a plugin.
  public var isInHandler: Bool {
    let owner = crumb.pointee.owner
    return owner != 0 && owner >> 32 != UInt64(CKEMON_CRUMB_CONTROL)
  }

  /// Writes down an event whose handlers are called next.
  ///
  /// - Returns: what was there, for ``end(backTo:)``.
  @inline(__always) @discardableResult
  public func begin(_ event: UnsafePointer<kemon_event>) -> Outer {
    let outer = Outer(crumb: crumb.pointee)
    crumb.pointee.kind = UnsafeRawPointer(event).loadUnaligned(fromByteOffset: 4, as: UInt64.self)
    crumb.pointee.event = UInt64(UInt(bitPattern: event))
    return outer
  }

  /// Writes down the handler that is called next.
  @inline(__always)
  public func set(_ owner: UInt64) { crumb.pointee.owner = owner }

  /// The thread is in no handler any more.
  @inline(__always)
  public func end() { crumb.pointee.owner = 0 }

  /// The thread is where it was before ``begin(_:)``.
  @inline(__always)
  func end(backTo outer: Outer) { crumb.pointee = outer.crumb }

  /// Runs a function of a plugin that is not a handler.
  ///
  /// - Parameter name: what a crash report calls it.
  public func during<Result>(
    _ name: StaticString, ofPlugin plugin: UInt32, _ body: () -> Result
  ) -> Result {
    let outer = crumb.pointee
    // A static string ends with a NUL, and is never freed.
    crumb.pointee.kind = UInt64(UInt(bitPattern: name.utf8Start))
    crumb.pointee.event = 0
    crumb.pointee.owner = Self.owner(plugin: plugin, handler: CKEMON_CRUMB_CONTROL)
    defer { crumb.pointee = outer }
    return body()
  }

  /// What a crumb said before.
  public struct Outer {
    let crumb: ckemon_crumb
  }
}
