// SPDX-License-Identifier: Apache-2.0

import Glibc
import KemonBus
import Synchronization

@testable import KemonKernel

/// Two threads that change everything that may be changed while a model is in use.
final class StressChange: Sendable {
  private let model: KernelModel
  private let dispatcher: Dispatcher
  private let isOver = Atomic<Bool>(false)
  private let changes = Atomic<Int>(0)

  init(_ model: KernelModel, _ dispatcher: Dispatcher) {
    self.model = model
    self.dispatcher = dispatcher
  }

  /// How often something was changed.
  var count: Int { changes.load(ordering: .relaxed) }

  /// Changes things while the body runs.
  func run(_ body: () throws -> Void) throws {
    let threads = [
      WorkerThread(named: "plugins") { self.changePlugins() },
      WorkerThread(named: "kernel") { self.changeKernel() },
    ]
    let result = Result { try body() }
    isOver.store(true, ordering: .releasing)
    for thread in threads { thread.join() }
    try result.get()
  }

  /// Plugins are added, disabled, replaced, enabled and removed.
  private func changePlugins() {
    let handlers = StressPlugin.handlers
    while !isOver.load(ordering: .acquiring) {
      let tokens = dispatcher.add(handlers)
      dispatcher.setEnabled(false, tokens[0])
      dispatcher.replace(tokens[1], with: handlers[1])
      dispatcher.setEnabled(true, tokens[0])
      changes.wrappingAdd(1, ordering: .relaxed)
      // Long enough to be asked.
      usleep(2000)
      dispatcher.remove(tokens)
    }
  }

  /// Kemon's listener is configured anew, and MAC policies are watched and left alone.
  private func changeKernel() {
    let configurations = ["add com.apple.kauth.vnode /Users/Shared/load0", "remove"]
    var number = 0
    while !isOver.load(ordering: .acquiring) {
      number += 1
      _ = try? model.kauthMonitor.configure(configurations[number % 2])
      try? model.mac.watch(number % 4 < 2 ? nil : [])
      usleep(3000)
    }
  }
}
