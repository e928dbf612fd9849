// SPDX-License-Identifier: Apache-2.0

import CHookTargets
import KemonHooks

/// Puts hooks into many functions of a library at once and takes them out.
enum Batches {
  static func own(_ library: String, count: Int) throws -> Report.Batch {
    var functions = [UnsafeRawPointer?](repeating: nil, count: count)
    let found = Int(hook_exports(library, 16, &functions, count))
    let begin = hook_clock()
    var hooks: [Hook] = []
    for function in functions.prefix(found) {
      guard let function else { continue }
      if let hook = try? HookEngine.attach(
        entry: function, safety: .quiescent, handlers: HookHandlers())
      {
        hooks.append(hook)
      }
    }
    let middle = hook_clock()
    for hook in hooks { try hook.detach() }
    let end = hook_clock()
    return Report.Batch(
      name: "kemon, one by one", functions: hooks.count,
      install: (Double(middle - begin) / Double(hooks.count) / 1000).rounded3,
      remove: (Double(end - middle) / Double(hooks.count) / 1000).rounded3)
  }
}
