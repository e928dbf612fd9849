// SPDX-License-Identifier: Apache-2.0

import CHookTargets
import KemonHooks

/// Puts hooks into functions of a library, one or many at once, and takes them out.
enum Batches {
  static let firstHook = "kemon, first hook of the process"
  static let transaction = "kemon, one transaction"

  /// The first hook of this process: everything that is made once is made now.
  static func first(_ library: String) throws -> Report.Batch {
    var functions: [UnsafeRawPointer?] = [nil]
    guard hook_exports(library, 64, &functions, 1) == 1, let function = functions[0] else {
      throw BenchError("\(library) exports no function")
    }
    let begin = hook_clock()
    let hook = try HookEngine.attach(entry: function, handlers: HookHandlers())
    let middle = hook_clock()
    try hook.detach()
    let end = hook_clock()
    return Report.Batch(
      name: firstHook, functions: 1, install: (Double(middle - begin) / 1000).rounded3,
      remove: (Double(end - middle) / 1000).rounded3)
  }

  /// Functions that no round before has hooked, so that every stub is made.
  static func own(_ library: String, count: Int, round: Int) throws -> Report.Batch {
    let wanted = count * (round + 1)
    var functions = [UnsafeRawPointer?](repeating: nil, count: wanted)
    let found = Int(hook_exports(library, 16, &functions, wanted))
    let usable = functions.prefix(found).dropFirst(count * round).compactMap { $0 }
      .filter { (try? HookEngine.plan(entry: $0)) != nil }
    guard !usable.isEmpty else {
      throw BenchError("\(library) has \(found) functions, too few for round \(round)")
    }
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
      name: transaction, functions: hooks.count,
      install: (Double(middle - begin) / Double(hooks.count) / 1000).rounded3,
      remove: (Double(end - leaving) / Double(hooks.count) / 1000).rounded3)
  }
}
