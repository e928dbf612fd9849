// SPDX-License-Identifier: Apache-2.0

import CHookTargets
import KemonHooks

/// Puts hooks into many functions of a library at once and takes them out.
enum Batches {
  static func own(_ library: String, count: Int) throws -> Report.Batch {
    var functions = [UnsafeRawPointer?](repeating: nil, count: count)
    let found = Int(hook_exports(library, 16, &functions, count))
    let usable = functions.prefix(found).compactMap { $0 }
      .filter { (try? HookEngine.plan(entry: $0)) != nil }
    var coming = HookTransaction()
    for function in usable { coming.attach(entry: function, handlers: HookHandlers()) }
    let begin = hook_clock()
    let hooks = try coming.commit().hooks
    let middle = hook_clock()
    var going = HookTransaction()
    for hook in hooks { going.detach(hook) }
    let leaving = hook_clock()
    _ = try going.commit()
    let end = hook_clock()
    return Report.Batch(
      name: "kemon, one transaction", functions: hooks.count,
      install: (Double(middle - begin) / Double(hooks.count) / 1000).rounded3,
      remove: (Double(end - leaving) / Double(hooks.count) / 1000).rounded3)
  }
}
