// SPDX-License-Identifier: Apache-2.0

import CKemonPlatform
import Glibc
public import KemonBus
import KemonEvents

/// What is said when the process dies in a handler: on standard error, and in a file if there is to be one.
public enum CrashReport {
  /// Bytes of a file of crumbs; see ``keepCrumbs(in:)``.
  public static let crumbBytes = Int(CKEMON_CRUMB_BYTES)

  /// From now on a crash says in which plugin's handler it happened, and at which event; repeating it is harmless.
  ///
  /// Threads that exist already may say nothing when their stack is at its end.
  ///
  /// - Parameter ring: says which number an event would have got.
  public static func begin(_ ring: EventRing) {
    // The word must be there as long as somebody can die.
    _ = Unmanaged.passRetained(ring)
    ckemon_crash_set_published(ring.publishedWord)
    ckemon_crash_set_kind_names(kindNames, UInt32(EventKind.limit))
    _ = ckemon_crash_install()
  }

  /// Bytes that everything in this process has allocated and not freed; not for use on a thread that owes a verdict.
  public static var allocatedBytes: UInt64 { ckemon_allocated_bytes() }

  /// Writes a crash to a file, too, which is made when there is one.
  public static func setFile(_ path: String) { ckemon_crash_set_report(path) }

  /// Keeps the crumbs of all threads in a file, so that they can be read however the process ends.
  ///
  /// - Parameter descriptor: of a file of ``crumbBytes`` bytes; may be closed afterwards.
  /// - Returns: 0 or an errno.
  public static func keepCrumbs(in descriptor: Int32) -> Int32 {
    -ckemon_crumbs_keep_in(descriptor)
  }

  /// In which handlers the threads of a process were that left a file of crumbs.
  ///
  /// - Returns: plugin and handler of each, by their ids; `UInt32.max` for a function that is not a handler.
  public static func owners(inCrumbs bytes: [UInt8]) -> [(plugin: UInt32, handler: UInt32)] {
    let stride = MemoryLayout<ckemon_crumb>.stride
    return (0..<bytes.count / stride)
      .compactMap { index in
        let owner = bytes.withUnsafeBytes {
          $0.loadUnaligned(fromByteOffset: index * stride, as: UInt64.self)
        }
        guard owner != 0 else { return nil }
        return (UInt32(truncatingIfNeeded: owner), UInt32(truncatingIfNeeded: owner >> 32))
      }
  }

  // Made once, never freed.
  nonisolated(unsafe) private static let kindNames: UnsafePointer<UnsafePointer<CChar>?> = {
    let names = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: EventKind.limit)
    for number in 0..<EventKind.limit {
      let name = EventKind(rawValue: UInt16(number)).info?.name
      (names + number).initialize(to: name.map { CText.copy($0) })
    }
    return UnsafePointer(names)
  }()
}
