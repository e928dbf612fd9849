// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64)
  import CKemonPlatform
  internal import Synchronization

  /// A hook whose handlers get arguments by a prototype that came at run time.
  ///
  /// It stays until ``detach()``, also when nobody keeps this object.
  public final class DynamicHook: Sendable {
    /// What a pre handler answers.
    public enum Answer: Sendable {
      /// Call the function, with the arguments as they are now.
      case proceed
      /// Leave the function out: the caller gets the result that was set, or zeros.
      case skip
    }

    /// Called before the function, on the thread that calls it.
    public typealias Pre = @Sendable (inout DynamicCall) -> Answer
    /// Called for every call for which pre was called.
    public typealias Post = @Sendable (inout DynamicCall) -> Void

    /// The hook in the code.
    public let hook: Hook
    /// The address of the handlers, until they are let go.
    private let handlers: Atomic<UInt>

    init(_ hook: Hook, _ handlers: Handlers) {
      self.hook = hook
      self.handlers = Atomic(UInt(bitPattern: Unmanaged.passUnretained(handlers).toOpaque()))
    }

    /// Takes the hook out: no handler runs any more when this returns, and what they hold is let go.
    ///
    /// Any thread; doing it twice does nothing.
    ///
    /// - Throws: as ``Hook/detach()``; the hook is still in place then.
    public func detach() throws(HookError) {
      try hook.detach()
      forgetHandlers()
    }

    /// Lets go of the handlers; for a hook that a transaction has taken out.
    package func forgetHandlers() {
      let last = UnsafeRawPointer(bitPattern: handlers.exchange(0, ordering: .relaxed))
      if let last { Unmanaged<Handlers>.fromOpaque(last).release() }
    }

    /// The handlers and the prototype; what the engine knows as the context.
    final class Handlers: Sendable {
      let described: DescribedCall
      let pre: Pre?
      let post: Post?

      init(_ described: DescribedCall, _ pre: Pre?, _ post: Post?) {
        self.described = described
        self.pre = pre
        self.post = post
      }

      /// What the engine calls; this object lives until ``release()``.
      func retained() -> HookHandlers {
        HookHandlers(
          pre: pre.map { _ in
            { context, frame in Handlers.of(context) { $0.willCall(frame) } }
          },
          post: post.map { _ in { context, frame in Handlers.of(context) { $0.didCall(frame) } } },
          context: Unmanaged.passRetained(self).toOpaque())
      }

      func release() { Unmanaged.passUnretained(self).release() }

      private static func of<Result>(
        _ context: UnsafeMutableRawPointer?, _ body: (Handlers) -> Result
      ) -> Result {
        guard let context else { preconditionFailure("a dynamic hook without its handlers") }
        return Unmanaged<Handlers>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
      }

      private func willCall(_ frame: UnsafeMutablePointer<HookFrame>) -> Int32 {
        guard let pre else { return Int32(CKEMON_PROCEED) }
        let values = FrameValues(described: described, frame: frame)
        let list = ArgumentList(described)
        values.readArguments(into: list.values)
        let result = values.resultInMemory ?? list.result
        var call = DynamicCall(
          ending: .pending, described: described, arguments: list.places, result: result,
          original: UInt(frame.pointee.target))
        guard pre(&call) == .proceed else {
          values.writeResult(from: result)
          return Int32(CKEMON_SKIP)
        }
        values.writeArguments(from: list.values)
        return Int32(CKEMON_PROCEED)
      }

      private func didCall(_ frame: UnsafeMutablePointer<HookFrame>) {
        guard let post else { return }
        let values = FrameValues(described: described, frame: frame)
        let list = ArgumentList(described)
        values.readArguments(into: list.values)
        let ending: DynamicCall.Ending =
          switch frame.pointee.skipped {
          case 0: .returned
          case 1: .skipped
          default: .unwound
          }
        let result = values.resultInMemory ?? list.result
        if ending != .unwound { values.readResult(into: result) }
        var call = DynamicCall(
          ending: ending, described: described, arguments: list.places, result: result,
          original: UInt(frame.pointee.target))
        post(&call)
        if ending != .unwound { values.writeResult(from: result) }
      }
    }
  }
#endif
