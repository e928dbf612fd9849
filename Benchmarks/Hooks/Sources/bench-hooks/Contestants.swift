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
  static let prototypeHandlers = "pre + post, C handlers, by prototype"
  static let typedHandlers = "pre + post, typed Swift handlers"
  static let typedDetour = "typed detour written by hand"
  static let callsDetour = "detour that calls and does nothing else"
  static let equalDetour = "typed detour with what a hook has"
  static let closure = "libffi closure detour"

  static func all() throws -> [Contestant] {
    var functions = Functions()
    var found: [Contestant] = []
    let prototype = try HookPrototype("i64(i64,i64,i64,i64,i64,i64)")
    found.append(Contestant(unhooked, calling: try functions.next()))
    found.append(
      Contestant(
        replace,
        calling: try functions.next {
          hook_set_original(HOOK_BARE, try replace($0, by: hook_bare_detour))
        }))
    found.append(
      Contestant(noHandlers, calling: try functions.next { try attach($0, [HookHandlers()]) }))
    found.append(
      Contestant("pre, C handler", calling: try functions.next { try attach($0, [preOnly]) }) {
        hook_take_counts().pre == UInt64($0)
      })
    for count in [1, 4, 16] {
      found.append(
        Contestant(
          count == 1 ? cHandlers : "pre + post, \(count) C handlers of each",
          calling: try functions.next {
            try attach($0, Array(repeating: counting, count: count))
          }, events: count))
    }
    found.append(
      Contestant(
        prototypeHandlers,
        calling: try functions.next { try attach($0, [counting], prototype) }, events: 1))
    for (name, handlers, prototype) in [
      (swiftHandlers, SwiftHandlers.counting, nil),
      (typedHandlers, try SwiftHandlers.typed(prototype), prototype),
    ] {
      found.append(
        Contestant(name, calling: try functions.next { try attach($0, [handlers], prototype) }) {
          let counts = SwiftHandlers.take()
          return counts.pre == UInt64($0) && counts.post == UInt64($0)
        })
    }
    let detours: [(String, hook_detour, hook_target)] = [
      (typedDetour, HOOK_TYPED, hook_typed_detour), (callsDetour, HOOK_CALLS, hook_calls_detour),
      (equalDetour, HOOK_EQUAL, hook_equal_detour),
    ]
    for (name, kind, detour) in detours {
      found.append(
        Contestant(
          name,
          calling: try functions.next { hook_set_original(kind, try replace($0, by: detour)) },
          events: 1))
    }
    guard let detour = hook_closure_detour() else { throw BenchError("libffi makes no closure") }
    found.append(
      Contestant(
        closure,
        calling: try functions.next {
          hook_set_original(HOOK_CLOSURE, try replace($0, by: detour))
        },
        events: 1))
    return found
  }

  // The C functions themselves; they do not look at the frame, and know no more of it than that it is a pointer.
  private static let countPre = unsafeBitCast(
    hook_count_pre as @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Int32,
    to: HookHandlers.Pre.self)
  private static let countPost = unsafeBitCast(
    hook_count_post as @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Void,
    to: HookHandlers.Post.self)

  private static var preOnly: HookHandlers { HookHandlers(pre: countPre) }
  private static var counting: HookHandlers { HookHandlers(pre: countPre, post: countPost) }

  private static func attach(
    _ function: UnsafeRawPointer, _ handlers: [HookHandlers], _ prototype: HookPrototype? = nil
  ) throws {
    for item in handlers {
      try HookEngine.attach(entry: function, HookOptions(prototype: prototype), handlers: item)
    }
  }

  private static func replace(
    _ function: UnsafeRawPointer, by detour: hook_target
  ) throws -> hook_target {
    let replacement = try HookEngine.replace(
      entry: function, with: unsafeBitCast(detour, to: UnsafeRawPointer.self))
    return unsafeBitCast(replacement.original, to: hook_target.self)
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
