// SPDX-License-Identifier: Apache-2.0

import KemonHooks
import Synchronization

@testable import KemonKernel

// Unchecked: the hooks are put in before the object is shared and taken out when nobody uses it any more.
/// What happened in the kernel, counted below everything that Kemon's own hooks see: hooks of the test around the
/// functions that do things, which nobody calls when a plugin has said no.
final class StressTruth: @unchecked Sendable {
  /// What is counted: calls of a function that came to what counts as done.
  enum Deed: Int, CaseIterable {
    case open, close, rename, remove, link, socket

    fileprivate var function: String {
      switch self {
      case .open: "VNOP_OPEN"
      case .close: "close_internal"
      case .rename: "VNOP_RENAME"
      case .remove: "VNOP_REMOVE"
      case .link: "VNOP_LINK"
      case .socket: "socreate"
      }
    }
  }

  private let counts: [Counter] = Deed.allCases.map { _ in Counter() }
  private var hooks: [Hook] = []

  private final class Counter: Sendable {
    let value = Atomic<Int>(0)
  }

  /// Puts the hooks in.
  init() throws {
    for deed in Deed.allCases {
      let function = try KernelFunction.named(deed.function)
      let handlers = HookHandlers(
        post: { context, frame in
          guard let context, Int32(truncatingIfNeeded: frame.pointee.result) == 0 else { return }
          Unmanaged<Counter>.fromOpaque(context)._withUnsafeGuaranteedRef {
            _ = $0.value.wrappingAdd(1, ordering: .relaxed)
          }
        }, context: Unmanaged.passUnretained(counts[deed.rawValue]).toOpaque())
      hooks.append(
        try function.attach(
          HookOptions(vectors: deed == .rename ? .bytes16 : .integersOnly), handlers: handlers))
    }
  }

  /// How often it was done.
  func count(_ deed: Deed) -> Int { counts[deed.rawValue].value.load(ordering: .relaxed) }

  /// Takes the hooks out.
  func close() throws {
    for hook in hooks.reversed() { try hook.detach() }
    hooks = []
  }
}
