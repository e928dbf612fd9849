// SPDX-License-Identifier: Apache-2.0

import KemonHooks

/// Handlers in Swift that count, as those in C do.
enum SwiftHandlers {
  // Written by the thread that calls the hooked function, read by the same thread between rounds.
  nonisolated(unsafe) static var pre: UInt64 = 0
  nonisolated(unsafe) static var post: UInt64 = 0

  static var counting: HookHandlers {
    HookHandlers(
      pre: { _, _ in
        SwiftHandlers.pre &+= 1
        return 0
      }, post: { _, _ in SwiftHandlers.post &+= 1 })
  }

  // Made once, before any call: handlers read them.
  nonisolated(unsafe) private(set) static var first: HookArgument<Int>?
  nonisolated(unsafe) private(set) static var sixth: HookArgument<Int>?
  nonisolated(unsafe) private(set) static var result: HookArgument<Int>?

  /// Handlers that read two arguments and replace the result by itself, by their types.
  static func typed(_ prototype: HookPrototype) throws -> HookHandlers {
    first = try prototype.argument(0, as: Int.self)
    sixth = try prototype.argument(5, as: Int.self)
    result = try prototype.result(as: Int.self)
    return HookHandlers(
      pre: { _, frame in
        guard let first = SwiftHandlers.first, let sixth = SwiftHandlers.sixth else { return 0 }
        if first.value(in: frame) >= 0, sixth.value(in: frame) == 5 { SwiftHandlers.pre &+= 1 }
        return 0
      },
      post: { _, frame in
        guard let result = SwiftHandlers.result else { return }
        result.set(result.value(in: frame), in: frame)
        SwiftHandlers.post &+= 1
      })
  }

  static func take() -> (pre: UInt64, post: UInt64) {
    defer {
      pre = 0
      post = 0
    }
    return (pre, post)
  }
}
