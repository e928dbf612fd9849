// SPDX-License-Identifier: Apache-2.0

internal import CKernelImage

/// What modes and owners say: the own answers of the scopes `vnode` and `process`.
extension FileSystem {
  /// The scope vnode; words: context, vnode, directory or 0, where to leave an errno.
  static let authorizeVnode: kernel_kauth_callback = {
    credential, context, action, caller, node, directory, error in
    guard let credential, let caller = UnsafePointer<kernel_vfs_context>(bitPattern: caller),
      let node = UnsafeMutablePointer<kernel_vnode>(bitPattern: node)
    else { return KERNEL_KAUTH_DENY }
    if directory == 0, vnode_cache_is_authorized(node, caller, action) != 0 {
      return KERNEL_KAUTH_ALLOW
    }
    return FileSystem.with(context) { files -> Int32 in
      // Before the mode is looked at: rights that are taken away meanwhile must not be remembered.
      let before = kernel_vnode_rights(node)
      let parent = UnsafePointer<kernel_vnode>(bitPattern: directory)
      let answer = files.reading {
        refusal(of: action, to: Vnode.of(node), in: parent.map { Vnode.of($0) }, credential)
      }
      if answer != 0 {
        UnsafeMutablePointer<Int32>(bitPattern: error)?.pointee = answer
        return KERNEL_KAUTH_DENY
      }
      if directory == 0 { vnode_cache_authorized_action(node, credential, action, before) }
      return KERNEL_KAUTH_ALLOW
    }
  }

  /// The scope process; words: process, where to leave an errno.
  static let authorizeProcess: kernel_kauth_callback = {
    credential, _, action, target, error, _, _ in
    // CANSIGNAL would panic in XNU, which never asks it.
    guard action == UInt32(KERNEL_KAUTH_PROCESS_CANTRACE), let credential,
      let target = UnsafeRawPointer(bitPattern: target)
    else { return KERNEL_KAUTH_DENY }
    let user = credential.pointee.cr_uid
    if user == 0 || user == ProcessContext.of(process: target).credential.user {
      return KERNEL_KAUTH_ALLOW
    }
    UnsafeMutablePointer<Int32>(bitPattern: error)?.pointee = KERNEL_EPERM
    return KERNEL_KAUTH_DENY
  }

  /// The bits that need the owner, and those that need a permission bit of the vnode itself.
  private static let ownerActions =
    KERNEL_KAUTH_VNODE_WRITE_ATTRIBUTES | KERNEL_KAUTH_VNODE_WRITE_SECURITY
  private static let readActions =
    KERNEL_KAUTH_VNODE_READ_DATA | KERNEL_KAUTH_VNODE_READ_EXTATTRIBUTES
  private static let writeActions =
    KERNEL_KAUTH_VNODE_WRITE_DATA | KERNEL_KAUTH_VNODE_APPEND_DATA
    | KERNEL_KAUTH_VNODE_DELETE_CHILD | KERNEL_KAUTH_VNODE_WRITE_EXTATTRIBUTES

  /// Why an action is refused by modes and owners; under the tree's lock.
  ///
  /// - Returns: an errno, or 0.
  private static func refusal(
    of action: UInt32, to vnode: Vnode, in directory: Vnode?,
    _ credential: UnsafePointer<kernel_ucred>
  ) -> Int32 {
    if credential.pointee.cr_uid == 0 { return superuserRefusal(of: action, to: vnode) }
    if action & KERNEL_KAUTH_VNODE_TAKE_OWNERSHIP != 0 { return KERNEL_EPERM }
    if action & ownerActions != 0, vnode.user != credential.pointee.cr_uid { return KERNEL_EPERM }
    var needed: UInt16 = 0
    if action & readActions != 0 { needed |= 4 }
    if action & writeActions != 0 { needed |= 2 }
    if action & KERNEL_KAUTH_VNODE_EXECUTE != 0 { needed |= 1 }
    guard permissions(of: vnode, credential) & needed == needed else { return KERNEL_EACCES }
    guard action & KERNEL_KAUTH_VNODE_DELETE != 0 else { return 0 }
    return deletionRefusal(of: vnode, in: directory, credential)
  }

  /// The superuser may do anything but execute what nobody may execute.
  private static func superuserRefusal(of action: UInt32, to vnode: Vnode) -> Int32 {
    let executes = action & KERNEL_KAUTH_VNODE_EXECUTE != 0 && !vnode.isDirectory
    return executes && vnode.mode & 0o111 == 0 ? KERNEL_EACCES : 0
  }

  /// A name is taken away from its directory: that must be writable, and a sticky one gives to owners only.
  private static func deletionRefusal(
    of vnode: Vnode, in directory: Vnode?, _ credential: UnsafePointer<kernel_ucred>
  ) -> Int32 {
    guard let directory else { return 0 }
    guard permissions(of: directory, credential) & 3 == 3 else { return KERNEL_EACCES }
    let sticky: UInt16 = 0o1000
    let user = credential.pointee.cr_uid
    guard directory.mode & sticky == 0 || directory.user == user || vnode.user == user else {
      return KERNEL_EACCES
    }
    return 0
  }

  /// The three bits of the mode that count for a credential.
  private static func permissions(
    of vnode: Vnode, _ credential: UnsafePointer<kernel_ucred>
  ) -> UInt16 {
    if credential.pointee.cr_uid == vnode.user { return vnode.mode >> 6 & 7 }
    if isMember(credential, of: vnode.group) { return vnode.mode >> 3 & 7 }
    return vnode.mode & 7
  }

  private static func isMember(_ credential: UnsafePointer<kernel_ucred>, of group: UInt32) -> Bool
  {
    if credential.pointee.cr_gid == group { return true }
    return withUnsafeBytes(of: credential.pointee.cr_groups) { bytes in
      bytes.assumingMemoryBound(to: UInt32.self).prefix(Int(credential.pointee.cr_ngroups))
        .contains(group)
    }
  }
}
