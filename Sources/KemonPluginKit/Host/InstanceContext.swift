// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What the kit keeps for one instance of a plugin, beside the plugin and its handlers.
final class InstanceContext: Sendable {
  private struct Content {
    /// Where the host keeps the state; during `init` only.
    var state: (address: UInt, count: Int, version: UInt32)?
    var tokens: [String: HandlerToken] = [:]
    var kept: [any AnyObject & Sendable] = []
    /// Whether other plugins may be inside of what is kept.
    var isShared = false
  }
  private let content = Mutex(Content())

  /// Takes what the host has given to create.
  init(_ create: UnsafePointer<kemon_create>? = nil) {
    guard let create = create?.pointee, Int(create.size) >= MemoryLayout<kemon_create>.size,
      let state = create.state
    else { return }
    let address = UInt(bitPattern: state)
    content.withLock {
      $0.state = (address, Int(clamping: create.state_len), create.state_version)
    }
  }

  /// A copy of the state of the generation before; nil without one, and after `init`.
  var state: SavedState? {
    content.withLock { content in
      content.state.map { state in
        let bytes = UnsafeRawBufferPointer(
          start: UnsafeRawPointer(bitPattern: state.address), count: state.count)
        return SavedState(
          bytes: Array(bytes), version: state.version == 0 ? nil : state.version)
      }
    }
  }

  /// The memory behind the state is the host's again.
  func forgetState() { content.withLock { $0.state = nil } }

  /// Holds on to what the host points at, until the instance ends.
  func keep(_ object: any AnyObject & Sendable) { content.withLock { $0.kept.append(object) } }

  /// The same for what other plugins call.
  func keepForCalls(_ object: any AnyObject & Sendable) {
    content.withLock { content in
      content.kept.append(object)
      content.isShared = true
    }
  }

  /// The instance ends, and the host points at nothing any more: what is kept may well hold the plugin.
  func letGo() {
    let kept = content.withLock { content in
      defer { content.kept = [] }
      return content.kept
    }
    // Outside of the lock: what goes may come back here.
    withExtendedLifetime(kept) {}
  }

  /// The plugin could not be made: who calls what it has offered already may still be inside.
  func outliveCalls() {
    if content.withLock({ $0.isShared }) { _ = Unmanaged.passRetained(self) }
  }

  /// The token of a handler by its name; good from when the host has the handler.
  func token(_ handler: String) -> HandlerToken {
    content.withLock { content in
      if let known = content.tokens[handler] { return known }
      let token = HandlerToken()
      content.tokens[handler] = token
      return token
    }
  }

  /// The host has a handler; before events flow.
  func known(_ handler: String, _ number: UInt64) {
    token(handler).number.store(number, ordering: .releasing)
  }

  /// Handlers whose tokens somebody has asked for, and that are not among those.
  func unknownHandlers(among names: [String]) -> [String] {
    content.withLock { Set($0.tokens.keys).subtracting(names).sorted() }
  }
}

/// The host's number of a handler; 0 until the host has it.
final class HandlerToken: Sendable {
  let number = Atomic<UInt64>(0)
}

/// What the instance before has saved.
public struct SavedState: Sendable, Equatable {
  /// As ``StateSaving/save()`` gave it.
  public let bytes: [UInt8]
  /// `state` in the manifest of the plugin that saved it; nil when it says nothing.
  public let version: UInt32?
}
