// SPDX-License-Identifier: Apache-2.0

internal import CKemonPlugin.Hook
internal import KemonHooks

/// `kemon_hook_plan` of kemon/hook.h.
@_cdecl("kemon_hook_plan")
public func hookPlan(
  _ function: UnsafeRawPointer?, _ options: UnsafeRawPointer?, _ info: UnsafeMutableRawPointer?,
  _ code: UnsafeMutablePointer<UInt8>?, _ capacity: UInt64
) -> Int32 {
  guard let function, let info else {
    return ErrorText.refuse("a function and a place for the plan are needed, not NULL")
  }
  let size = min(
    Int(info.loadUnaligned(as: UInt32.self)), MemoryLayout<kemon_hook_plan_info>.size)
  var result = kemon_hook_plan_info()
  let status = ErrorText.catching { () throws(HookError) in
    let plan = try HookEngine.plan(entry: function, HookOptions(options))
    result = kemon_hook_plan_info(plan)
    if let code {
      for (index, byte) in plan.moved.prefix(Int(clamping: capacity)).enumerated() {
        code[index] = byte
      }
    }
  }
  result.size = UInt32(size)
  withUnsafeBytes(of: &result) { bytes in
    UnsafeMutableRawBufferPointer(start: info, count: size)
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<size]))
  }
  return status
}

extension kemon_hook_plan_info {
  init(_ plan: HookPlan) {
    self.init()
    switch plan.tier {
    case .window: tier = UInt32(KEMON_HOOK_TIER_WINDOW)
    case .copy: tier = UInt32(KEMON_HOOK_TIER_COPY)
    case .padding: tier = UInt32(KEMON_HOOK_TIER_PADDING)
    case .cave: tier = UInt32(KEMON_HOOK_TIER_CAVE)
    case .trap: tier = UInt32(KEMON_HOOK_TIER_TRAP)
    }
    function = UInt64(plan.function.start)
    function_size = UInt64(plan.function.size)
    patched = UInt64(plan.address)
    window_size = UInt32(plan.replaced.reduce(0) { $0 + $1.bytes.count })
    instruction_count = UInt32(plan.replaced.count)
    moved = UInt64(plan.movedAddress)
    moved_size = UInt32(plan.moved.count)
    needs_stop = plan.needsStop ? 1 : 0
    resume = UInt64(plan.resume)
  }
}
