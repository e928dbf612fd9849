// SPDX-License-Identifier: Apache-2.0

import CHookTargets
import KemonHooks

/// Everything that is measured in this process: each stands in front of a function of its own.
enum Contestants {
  static let unhooked = "unhooked"
  static let replace = "replace (detour calls the original)"
  static let noHandlers = "hook without handlers"
  static let cHandlers = "pre + post, C handlers"
  static let swiftHandlers = "pre + post, Swift handlers"
  static let typedHandlers = "pre + post, typed Swift handlers"
  static let typedDetour = "typed detour written by hand"
  static let closure = "libffi closure detour"

  static func all() throws -> [Contestant] {
    var functions = Functions()
    var found: [Contestant] = []
    found.append(Contestant(unhooked, calling: try functions.next()))

    let counting = HookHandlers(
      pre: { context, frame in hook_count_pre(context, frame) },
      post: { context, frame in hook_count_post(context, frame) })
    found.append(
      Contestant(noHandlers, calling: try functions.next { try attach($0, HookHandlers()) }))
    found.append(
      Contestant(cHandlers, calling: try functions.next { try attach($0, counting) }, events: 1))

    let swift = try functions.next { try attach($0, SwiftHandlers.counting) }
    found.append(
      Contestant(swiftHandlers) { calls in
        _ = SwiftHandlers.take()
        let time = hook_measure(swift, calls)
        let counts = SwiftHandlers.take()
        return counts.pre == UInt64(calls) && counts.post == UInt64(calls) ? time : -1
      })
    return found
  }

  private static func attach(_ function: UnsafeRawPointer, _ handlers: HookHandlers) throws {
    try HookEngine.attach(entry: function, handlers: handlers)
  }
}

/// Hands out one function after the other.
private struct Functions {
  private var index = 0

  mutating func next(_ prepare: (UnsafeRawPointer) throws -> Void = { _ in }) throws -> hook_target
  {
    guard let function = hook_target_at(index) else { throw BenchError("too few functions") }
    index += 1
    try prepare(unsafeBitCast(function, to: UnsafeRawPointer.self))
    return function
  }
}
