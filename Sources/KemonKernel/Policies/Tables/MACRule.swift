// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// How the kernel combines the answers of MAC policies.
///
/// Numbers are Darwin's errnos.
/// Source: XNU `security/mac_internal.h`, `security/mac_base.c`.
public enum MACRule: Int32, Sendable, CaseIterable {
  /// MAC_CHECK: all are asked. EDEADLK beats EINVAL, ESRCH, ENOENT, EACCES, EPERM and any other error; of others the last.
  case check = 0
  /// MAC_GRANT: all are asked; one 0 is enough, EPERM otherwise.
  case grant = 1
  /// MAC_PERFORM: all are told, there is no answer.
  case perform = 2
  /// Asked until one answers other than 0: the result is 1 then, else 0.
  case firstTrue = 3
  /// All are asked; the greatest answer counts, 0 at least.
  case greatest = 4

  /// What the kernel's caller gets for these answers, in the order of the policies.
  public func combine(_ answers: some Sequence<Int32>) -> Int32 {
    var result = kernel_mac_begin(rawValue)
    var goesOn = true
    for answer in answers {
      result = kernel_mac_combine(rawValue, result, answer, &goesOn)
      if !goesOn { break }
    }
    return result
  }
}
