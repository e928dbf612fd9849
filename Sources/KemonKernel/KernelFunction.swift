// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import KemonHooks

/// A function of the kernel image.
struct KernelFunction: Sendable {
  /// Its name in the kernel.
  let name: String
  /// Whether it begins with a five-byte nop for hooks.
  let isPatchable: Bool
  /// Where it begins; the image never moves.
  let address: UInt
  /// Its bytes, where the image says how many; the hook engine finds out otherwise.
  let size: Int?

  /// Every function that the image has for this processor.
  static let all: [KernelFunction] = {
    var count = 0
    let rows = UnsafeBufferPointer(start: kernel_image_functions(&count), count: count)
    return rows.map { row in
      KernelFunction(
        name: String(cString: row.name), isPatchable: row.patchable != 0,
        address: UInt(bitPattern: row.address), size: row.size == 0 ? nil : row.size)
    }
  }()

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// Finds a function.
  ///
  /// - Throws: when the image has none of this name.
  static func named(_ name: String) throws(KernelError) -> KernelFunction {
    guard let function = byName[name] else {
      throw KernelError(.unknownFunction, "the kernel image has no function \(name)")
    }
    return function
  }

  /// The first byte.
  var code: UnsafeRawPointer {
    guard let code = UnsafeRawPointer(bitPattern: address) else {
      preconditionFailure("\(name) is at address 0")
    }
    return code
  }

  /// Puts a hook at its beginning.
  @discardableResult
  func attach(
    _ options: HookOptions = HookOptions(), handlers: HookHandlers
  ) throws(KernelError) -> Hook {
    try attaching(options) { code, options throws(HookError) in
      try HookEngine.attach(entry: code, options, handlers: handlers)
    }
  }

  /// Puts a hook at a call in it, that many bytes behind its beginning.
  @discardableResult
  func attach(
    callAt offset: Int, _ options: HookOptions = HookOptions(), handlers: HookHandlers
  ) throws(KernelError) -> Hook {
    try attaching(options) { code, options throws(HookError) in
      try HookEngine.attach(callSite: code + offset, options, handlers: handlers)
    }
  }

  private func attaching(
    _ options: HookOptions, _ body: (UnsafeRawPointer, HookOptions) throws(HookError) -> Hook
  ) throws(KernelError) -> Hook {
    var options = options
    if let size { options.extent = FunctionExtent(start: code, size: size) }
    do {
      return try body(code, options)
    } catch {
      throw KernelError(name, error)
    }
  }
}
