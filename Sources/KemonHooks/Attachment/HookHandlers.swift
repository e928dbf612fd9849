// SPDX-License-Identifier: Apache-2.0

public import CKemonPlatform

/// One call through a hook: its arguments, its result and room for what handlers want to remember of it.
///
/// Lives on the stack of the calling thread from the beginning of pre to the end of post.
public typealias HookFrame = ckemon_hook_frame

/// What is called before and after a hooked function.
///
/// Both are called on the thread that makes the call, any number of threads at a time. They must not throw, must not
/// leave by `longjmp`, and must not detach their own hook: that would wait for itself. When a handler calls the hooked
/// function itself, no handler of that function sees the call; ``Hook/suppressedCalls`` counts it.
public struct HookHandlers: @unchecked Sendable {
  // Unchecked: C functions, and a pointer that the maker promises to be good on any thread.

  /// Returns `CKEMON_PROCEED`, or `CKEMON_SKIP` to leave the original out; the frame's result counts then.
  public typealias Pre =
    @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<HookFrame>) -> Int32
  /// Called for every call for which pre was called; may replace the frame's result.
  public typealias Post =
    @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<HookFrame>) -> Void

  let handler: ckemon_hook_handler

  /// Names the handlers.
  ///
  /// - Parameters:
  ///   - pre: nil to call the original in any case.
  ///   - post: nil to leave the result as it is; the call then returns to the program by itself.
  ///   - context: what both get; must stay valid until ``Hook/detach()`` has returned.
  public init(pre: Pre? = nil, post: Post? = nil, context: UnsafeMutableRawPointer? = nil) {
    handler = ckemon_hook_handler(pre: pre, post: post, context: context)
  }
}
