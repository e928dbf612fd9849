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

  static func take() -> (pre: UInt64, post: UInt64) {
    defer {
      pre = 0
      post = 0
    }
    return (pre, post)
  }
}
