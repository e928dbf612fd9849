// SPDX-License-Identifier: Apache-2.0

/// How a denied registration is enforced.
public enum MACBlocking: Sendable {
  /// The function is not called: nothing has changed, the caller gets EEXIST unless the plugin named another errno.
  case skip
  /// The original's trick: the policy is renamed to `AMFI`, so that the kernel itself finds the name taken and returns EEXIST.
  ///
  /// The caller's structure stays changed, and without a policy of that name the registration succeeds.
  case rename
}
