/* SPDX-License-Identifier: Apache-2.0
 * Renaming. */
#include "kernel_errno.h"
#include "kernel_files.h"
#include "kernel_image_function.h"
#include "vfs.h"

static int32_t check_structure(kernel_vnode *fvp, kernel_vnode *tdvp, kernel_vnode *tvp, uint32_t flags) {
  const kernel_filesystem *filesystem = fvp->v_mount;
  const int is_directory = fvp->v_type == KERNEL_VDIR;
  if (tvp && !(flags & KERNEL_RENAME_SWAP)) {
    if (is_directory && tvp->v_type != KERNEL_VDIR)
      return KERNEL_ENOTDIR;
    if (!is_directory && tvp->v_type == KERNEL_VDIR)
      return KERNEL_EISDIR;
  }
  if (is_directory && filesystem->operations->contains(filesystem->context, fvp, tdvp))
    return KERNEL_EINVAL;
  return 0;
}

KERNEL_FUNCTION(int32_t, vn_authorize_renamex,
                (kernel_vnode * fdvp, kernel_vnode *fvp, kernel_componentname *fcnp, kernel_vnode *tdvp,
                 kernel_vnode *tvp, kernel_componentname *tcnp, const kernel_vfs_context *ctx, uint32_t flags,
                 void *reserved)) {
  (void)reserved;
  int32_t error = mac_vnode_check_rename(ctx, fdvp, fvp, fcnp, tdvp, tvp, tcnp);
  if (error == 0)
    error = check_structure(fvp, tdvp, tvp, flags);
  if (error)
    return error;
  /* Before the rights are checked: also told of renames that are then refused. */
  if (ctx->vc_filesystem->will_rename && kauth_authorize_fileop_has_listeners(ctx->vc_ucred)) {
    vfs_path to;
    if (vfs_path_of_name(tdvp, tcnp, &to))
      kauth_authorize_fileop(ctx->vc_ucred, KERNEL_KAUTH_FILEOP_WILL_RENAME, (uintptr_t)fvp, (uintptr_t)to.text);
  }
  error = vnode_authorize(fvp, fdvp, KERNEL_KAUTH_VNODE_DELETE, ctx);
  if (error == 0 && (fdvp != tdvp || !tvp)) {
    const int is_directory = fvp->v_type == KERNEL_VDIR;
    error = vnode_authorize(
        tdvp, NULL, is_directory ? KERNEL_KAUTH_VNODE_ADD_SUBDIRECTORY : KERNEL_KAUTH_VNODE_ADD_FILE, ctx);
  }
  if (error == 0 && tvp)
    error = vnode_authorize(tvp, tdvp, KERNEL_KAUTH_VNODE_DELETE, ctx);
  return error;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, VNOP_RENAME,
                          (kernel_vnode * fdvp, kernel_vnode *fvp, kernel_componentname *fcnp, kernel_vnode *tdvp,
                           kernel_vnode *tvp, kernel_componentname *tcnp, const kernel_vfs_context *ctx,
                           uint32_t flags)) {
  (void)ctx;
  return fvp->v_mount->operations->rename(fvp->v_mount->context, fdvp, fvp, fcnp, tdvp, tvp, tcnp, flags);
}

static int32_t rename_found(kernel_nameidata *from, kernel_nameidata *to, const kernel_vfs_context *ctx,
                            uint32_t flags) {
  if (!from->ni_dvp || !to->ni_dvp)
    return KERNEL_EBUSY; /* the root */
  if ((from->ni_cnd.cn_flags | to->ni_cnd.cn_flags) & KERNEL_CN_DOT)
    return KERNEL_EINVAL;
  if (to->ni_vp && (flags & KERNEL_RENAME_EXCL))
    return KERNEL_EEXIST;
  if (!to->ni_vp && (flags & KERNEL_RENAME_SWAP))
    return KERNEL_ENOENT;
  if (to->ni_needs_directory && from->ni_vp->v_type != KERNEL_VDIR)
    return KERNEL_ENOTDIR;
  if (from->ni_vp == to->ni_vp)
    return 0; /* two names of one file, or the same name */
  int32_t error = vn_authorize_renamex(from->ni_dvp, from->ni_vp, &from->ni_cnd, to->ni_dvp, to->ni_vp, &to->ni_cnd,
                                       ctx, flags, NULL);
  if (error)
    return error;
  vfs_path old, new;
  const int is_told = kauth_authorize_fileop_has_listeners(ctx->vc_ucred) &&
                      vfs_path_of_name(from->ni_dvp, &from->ni_cnd, &old) &&
                      vfs_path_of_name(to->ni_dvp, &to->ni_cnd, &new);
  error = VNOP_RENAME(from->ni_dvp, from->ni_vp, &from->ni_cnd, to->ni_dvp, to->ni_vp, &to->ni_cnd, ctx, flags);
  if (error)
    return error;
  mac_vnode_notify_rename(ctx, from->ni_vp, to->ni_dvp, &to->ni_cnd);
  if (is_told) {
    kauth_authorize_fileop(ctx->vc_ucred, KERNEL_KAUTH_FILEOP_RENAME, (uintptr_t)old.text, (uintptr_t) new.text);
    if (flags & KERNEL_RENAME_SWAP)
      kauth_authorize_fileop(ctx->vc_ucred, KERNEL_KAUTH_FILEOP_RENAME, (uintptr_t) new.text, (uintptr_t)old.text);
  }
  return 0;
}

KERNEL_FUNCTION(int32_t, renameat_internal,
                (const kernel_vfs_context *ctx, const char *from, size_t fromlen, const char *to, size_t tolen,
                 uint32_t flags)) {
  if ((flags & KERNEL_RENAME_SWAP) && (flags & KERNEL_RENAME_EXCL))
    return KERNEL_EINVAL;
  kernel_nameidata source, target;
  int32_t error = vfs_find(&source, ctx, from, fromlen, 0);
  if (error)
    return error;
  error = vfs_find(&target, ctx, to, tolen, KERNEL_NAMEI_PARENT);
  if (error == 0) {
    error = rename_found(&source, &target, ctx, flags);
    nameidone(&target);
  }
  nameidone(&source);
  return error;
}
