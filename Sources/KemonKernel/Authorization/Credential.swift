// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

// Unchecked: the memory is written once, before the object is shared.
/// Whose rights the kernel checks: a user and groups.
///
/// Equal credentials of one kernel are one object, as in XNU: the rights cache of a vnode knows them by their number.
/// It lives as long as the ``KauthScopes`` that made it.
public final class Credential: @unchecked Sendable {
  /// The user; 0 is the superuser.
  public let user: UInt32
  /// All groups, the first one first.
  public let groups: [UInt32]
  /// What the kernel's functions are given.
  let pointer: UnsafeMutablePointer<kernel_ucred>

  /// How many groups the kernel keeps.
  public static let maximumGroups = 16

  init(number: UInt32, user: UInt32, groups: [UInt32], kauth: OpaquePointer) {
    self.user = user
    self.groups = groups
    pointer = .allocate(capacity: 1)
    var credential = kernel_ucred()
    credential.cr_kauth = kauth
    credential.cr_id = number
    credential.cr_uid = user
    credential.cr_gid = groups[0]
    credential.cr_ngroups = UInt32(groups.count)
    withUnsafeMutableBytes(of: &credential.cr_groups) { room in
      room.withMemoryRebound(to: UInt32.self) { room in _ = room.update(fromContentsOf: groups) }
    }
    pointer.initialize(to: credential)
  }

  deinit { pointer.deallocate() }

  /// Whether nothing is refused by modes.
  public var isSuperuser: Bool { user == 0 }
}
