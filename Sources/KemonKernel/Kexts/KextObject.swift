// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage
internal import Glibc

/// A kext in the memory of the model: an OSKext and what it points at.
///
/// Belongs to one load request at a time, as in the kernel under its kext lock.
final class KextObject {
  /// What the session says of it.
  let kext: Session.Kext
  let oskext = UnsafeMutablePointer<kernel_oskext>.allocate(capacity: 1)
  private let info = UnsafeMutablePointer<kernel_kmod_info>.allocate(capacity: 1)
  private let pathString = UnsafeMutablePointer<kernel_osstring>.allocate(capacity: 1)
  private let body = UnsafeMutablePointer<kernel_kext_body>.allocate(capacity: 1)
  private let path: UnsafeMutablePointer<CChar>

  /// Whether the kext is loaded, and started if it has code.
  var isLoaded = false { didSet { kernel_oskext_set_loaded(oskext, isLoaded) } }
  /// What the last load came to; nil when none was tried.
  var result: KextReturn?
  /// What the kernel took as the status of the last start; nil when OSKext::start did not come so far.
  var startStatus: Int32?

  init(_ kext: Session.Kext, layout: kernel_oskext_layout) {
    self.kext = kext
    path = strdup(kext.path)
    body.initialize(to: kernel_kext_body(status: kext.status, started: 0))
    kernel_kmod_init(info, kext.id, kext.version.description, kext.base, kext.size)
    withUnsafePointer(to: layout) { layout in
      kernel_oskext_init(oskext, layout, info, pathString, path, body)
    }
  }

  deinit {
    oskext.deallocate()
    info.deallocate()
    pathString.deallocate()
    body.deallocate()
    free(path)
  }

  /// How often the kext's own code ran.
  var bodyRuns: Int { Int(body.pointee.started) }
}
