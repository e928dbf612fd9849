// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Something that one thread tells another.
final class Flag: Sendable {
  private let value = Atomic<Bool>(false)
  var isSet: Bool { value.load(ordering: .acquiring) }
  func set() { value.store(true, ordering: .releasing) }
}

/// Waits until something is so; false when it does not come about.
func eventually(_ isSo: () -> Bool) -> Bool {
  for _ in 0..<5000 {
    if isSo() { return true }
    usleep(2000)
  }
  return false
}
