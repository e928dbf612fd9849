// SPDX-License-Identifier: Apache-2.0

internal import KemonHooks

extension HookFrame {
  /// The number that a function returns.
  var number: Int32 {
    get { Int32(truncatingIfNeeded: result) }
    set { result = UInt64(UInt32(bitPattern: newValue)) }
  }
}
