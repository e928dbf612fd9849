/* SPDX-License-Identifier: Apache-2.0
 * Removing files and directories. */
#include "kernel_errno.h"
#include "kernel_files.h"
#include "kernel_image_function.h"
#include "vfs.h"

KERNEL_FUNCTION_PATCHABLE(int32_t, vn_authorize_unlink,
                          (kernel_vnode * dvp, kernel_vnode *vp, kernel_componentname *cnp,
                           const kernel_vfs_context *ctx, void *reserved)) {
  (void)reserved;
  const int32_t error = mac_vnode_check_unlink(ctx, dvp, vp, cnp);
  return error ? error : vnode_authorize(vp, dvp, KERNEL_KAUTH_VNODE_DELETE, ctx);
}

KERNEL_FUNCTION(int32_t, vn_authorize_rmdir,
                (kernel_vnode * dvp, kernel_vnode *vp, kernel_componentname *cnp, const kernel_vfs_context *ctx,
                 void *reserved)) {
  (void)reserved;
  const int32_t error = mac_vnode_check_unlink(ctx, dvp, vp, cnp);
  return error ? error : vnode_authorize(vp, dvp, KERNEL_KAUTH_VNODE_DELETE, ctx);
}

KERNEL_FUNCTION(int32_t, VNOP_REMOVE,
                (kernel_vnode * dvp, kernel_vnode *vp, kernel_componentname *cnp, int32_t flags,
                 const kernel_vfs_context *ctx)) {
  (void)flags;
  (void)ctx;
  return vp->v_mount->operations->remove(vp->v_mount->context, dvp, vp, cnp);
}

KERNEL_FUNCTION_PATCHABLE(int32_t, VNOP_RMDIR,
                          (kernel_vnode * dvp, kernel_vnode *vp, kernel_componentname *cnp,
                           const kernel_vfs_context *ctx)) {
  (void)ctx;
  return vp->v_mount->operations->remove(vp->v_mount->context, dvp, vp, cnp);
}

/* Listeners are told the path that the file had. */
static int32_t remove_found(kernel_nameidata *nd, const kernel_vfs_context *ctx, int is_directory) {
  int32_t error = is_directory ? vn_authorize_rmdir(nd->ni_dvp, nd->ni_vp, &nd->ni_cnd, ctx, NULL)
                               : vn_authorize_unlink(nd->ni_dvp, nd->ni_vp, &nd->ni_cnd, ctx, NULL);
  if (error)
    return error;
  vfs_path path;
  const int is_told =
      kauth_authorize_fileop_has_listeners(ctx->vc_ucred) && vfs_path_of_name(nd->ni_dvp, &nd->ni_cnd, &path);
  error = is_directory ? VNOP_RMDIR(nd->ni_dvp, nd->ni_vp, &nd->ni_cnd, ctx)
                       : VNOP_REMOVE(nd->ni_dvp, nd->ni_vp, &nd->ni_cnd, 0, ctx);
  if (error == 0 && is_told)
    kauth_authorize_fileop(ctx->vc_ucred, KERNEL_KAUTH_FILEOP_DELETE, (uintptr_t)nd->ni_vp, (uintptr_t)path.text);
  return error;
}

KERNEL_FUNCTION(int32_t, unlinkat_internal, (const kernel_vfs_context *ctx, const char *path, size_t length)) {
  kernel_nameidata nd;
  int32_t error = vfs_find(&nd, ctx, path, length, 0);
  if (error)
    return error;
  error = nd.ni_vp->v_type == KERNEL_VDIR ? KERNEL_EPERM : remove_found(&nd, ctx, 0);
  nameidone(&nd);
  return error;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, rmdirat_internal, (const kernel_vfs_context *ctx, const char *path, size_t length)) {
  kernel_nameidata nd;
  int32_t error = vfs_find(&nd, ctx, path, length, 0);
  if (error)
    return error;
  if (nd.ni_vp->v_type != KERNEL_VDIR)
    error = KERNEL_ENOTDIR;
  else if (!nd.ni_dvp)
    error = KERNEL_EBUSY; /* the root */
  else
    error = nd.ni_cnd.cn_flags & KERNEL_CN_DOT ? KERNEL_EINVAL : remove_found(&nd, ctx, 1);
  nameidone(&nd);
  return error;
}
