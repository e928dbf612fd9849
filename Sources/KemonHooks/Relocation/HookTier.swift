// SPDX-License-Identifier: Apache-2.0

/// How a function is made hookable.
public enum HookTier: String, Sendable, CaseIterable {
  /// The instructions under the jump are moved.
  case window
  /// A jump of the function leads back under the jump: the whole function is copied.
  case copy
  /// The function is shorter than the jump; the padding behind it is used.
  case padding
  /// A short jump leads to a long one that stands in the padding between two functions nearby.
  case cave
  /// A breakpoint: only with ``HookOptions/allowsTraps``.
  case trap
}
