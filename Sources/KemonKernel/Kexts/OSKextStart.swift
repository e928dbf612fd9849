// SPDX-License-Identifier: Apache-2.0

internal import KemonHooks

/// OSKext::start in the kernel image, and the call of start routines in it.
struct OSKextStart: Sendable {
  // Addresses: the image never moves, and pointers can not be shared between threads.
  let function: UInt
  let size: Int
  let callSite: UInt

  /// Finds the function by its symbol and the call by its pattern.
  ///
  /// - Throws: when the image has no such function, or not exactly one call that looks as Kemon knows it.
  init(_ release: KernelRelease) throws(KernelError) {
    guard let found = Self.functions[release.oskextStart] else {
      throw KernelError(
        .unsupportedProcessor, "the kernel image has no \(release.oskextStart) for this processor")
    }
    self = try found.get()
  }

  /// Every OSKext::start of the image, read once before any hook changes it.
  private static let functions: [String: Result<OSKextStart, KernelError>] = {
    var found: [String: Result<OSKextStart, KernelError>] = [:]
    for function in KernelFunction.all where function.name.hasPrefix("OSKext_start_") {
      found[function.name] = Result { () throws(KernelError) in
        try OSKextStart(
          name: function.name,
          code: UnsafeRawBufferPointer(start: function.code, count: function.size ?? 0))
      }
    }
    return found
  }()

  /// Looks for the one call of a start routine in a function.
  init(name: String, code: UnsafeRawBufferPointer) throws(KernelError) {
    let base = UInt(bitPattern: code.baseAddress)
    let sites: [UInt]
    do {
      sites = try Self.callSites(in: code, at: base)
    } catch {
      throw KernelError(name, error)
    }
    guard sites.count == 1 else {
      throw KernelError(
        .unknownFunction,
        "\(name): \(sites.count) calls look like startfunc(kmod_info, kmodStartData), needed is one"
      )
    }
    function = base
    size = code.count
    callSite = sites[0]
  }

  /// Kemon's three patterns: two or three bytes of indirect call, and what moves its result on.
  static func callSites(
    in code: UnsafeRawBufferPointer, at base: UInt
  ) throws(HookError) -> [UInt] {
    let all = try Disassembler().instructions(in: code, at: base, covering: code.count)
    return all.indices.dropLast().filter { index in
      let call = all[index].bytes
      let next = all[index + 1].bytes
      let test = index + 2 < all.count ? all[index + 2].bytes : []
      let movesToEBX = next == [0x89, 0xC3] && test == [0x85, 0xDB]
      let movesOn = next.count == 3 && next.starts(with: [0x41, 0x89]) && next[2] & 0xF8 == 0xC0
      let isRegister = call.count == 2 && call[0] == 0xFF && call[1] & 0xF8 == 0xD0
      let isLocal = call.count == 3 && call[0] == 0xFF && call[1] == 0x55
      return (isRegister && movesToEBX) || (isLocal && (movesToEBX || movesOn))
    }.map { all[$0].address }
  }
}
