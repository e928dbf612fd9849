// SPDX-License-Identifier: Apache-2.0

#if arch(x86_64) && os(Linux)
  /// The code of this process as it was before any hook.
  struct OriginalCode {
    let map: MemoryMap
    let patched: PatchedSites

    /// Hands over the code of a function; nothing of it is copied where no hook stands.
    func withBytes<Result>(
      of extent: FunctionExtent,
      _ body: (UnsafeRawBufferPointer) throws(HookError) -> Result
    ) throws(HookError) -> Result {
      try map.requireCode(extent.range)
      let memory = UnsafeRawBufferPointer(
        start: UnsafeRawPointer(bitPattern: extent.start), count: extent.size)
      let claims = patched.claims(in: extent.range)
      guard !claims.isEmpty else { return try body(memory) }
      var copy = Array(memory)
      for claim in claims {
        for (index, byte) in claim.original.enumerated() {
          let offset = Int(bitPattern: claim.range.lowerBound &- extent.start) + index
          if copy.indices.contains(offset) { copy[offset] = byte }
        }
      }
      return try copy.withUnsafeBufferPointer { copy throws(HookError) in
        try body(UnsafeRawBufferPointer(copy))
      }
    }

    /// A copy of a function's code.
    func function(
      _ extent: FunctionExtent, from start: UInt? = nil
    ) throws(HookError) -> FunctionCode {
      let bytes = try withBytes(of: extent) { bytes throws(HookError) in Array(bytes) }
      return FunctionCode(extent: extent, bytes: bytes, start: start)
    }
  }
#endif
