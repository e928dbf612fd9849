/* SPDX-License-Identifier: Apache-2.0
 * Opening and closing. */
#include "kernel_errno.h"
#include "kernel_files.h"
#include "kernel_image_function.h"
#include <stddef.h>

KERNEL_FUNCTION(int32_t, vn_authorize_open_existing,
                (kernel_vnode * vp, kernel_componentname *cnp, int32_t fmode, const kernel_vfs_context *ctx,
                 void *reserved)) {
  (void)cnp;
  (void)reserved;
  if (vp->v_type == KERNEL_VLNK)
    return KERNEL_ELOOP;
  if (vp->v_type == KERNEL_VSOCK)
    return KERNEL_EOPNOTSUPP;
  if ((fmode & KERNEL_O_DIRECTORY) && vp->v_type != KERNEL_VDIR)
    return KERNEL_ENOTDIR;
  if (vp->v_type == KERNEL_VDIR && (fmode & (KERNEL_FWRITE | KERNEL_O_TRUNC)))
    return KERNEL_EISDIR;
  const int32_t error = mac_vnode_check_open(ctx, vp, fmode);
  if (error)
    return error;
  uint32_t action = 0;
  if (fmode & KERNEL_FREAD)
    action |= KERNEL_KAUTH_VNODE_READ_DATA;
  if (fmode & (KERNEL_FWRITE | KERNEL_O_TRUNC)) {
    const int appends = (fmode & KERNEL_O_APPEND) && !(fmode & KERNEL_O_TRUNC);
    action |= appends ? KERNEL_KAUTH_VNODE_APPEND_DATA : KERNEL_KAUTH_VNODE_WRITE_DATA;
  }
  return vnode_authorize(vp, NULL, action, ctx);
}

KERNEL_FUNCTION_PATCHABLE(int32_t, vn_authorize_create,
                          (kernel_vnode * dvp, kernel_componentname *cnp, kernel_vnode_attr *vap,
                           const kernel_vfs_context *ctx, void *reserved)) {
  (void)reserved;
  const int32_t error = mac_vnode_check_create(ctx, dvp, cnp, vap);
  return error ? error : vnode_authorize(dvp, NULL, KERNEL_KAUTH_VNODE_ADD_FILE, ctx);
}

KERNEL_FUNCTION(int32_t, VNOP_CREATE,
                (kernel_vnode * dvp, kernel_vnode **vpp, kernel_componentname *cnp, kernel_vnode_attr *vap,
                 const kernel_vfs_context *ctx)) {
  return dvp->v_mount->operations->create(dvp->v_mount->context, dvp, vpp, cnp, vap, ctx);
}

KERNEL_FUNCTION_PATCHABLE(int32_t, VNOP_OPEN, (kernel_vnode * vp, int32_t fmode, const kernel_vfs_context *ctx)) {
  return vp->v_mount->operations->open(vp->v_mount->context, vp, fmode, ctx);
}

/* How often a name may be taken between the look-up and the creation until open gives up. */
#define MOST_RACES 8

/* Makes the file that was not there; a hook that makes it look successful without a file gets EIO. */
static int32_t create(kernel_nameidata *nd, kernel_vnode_attr *vap, int *was_taken) {
  const kernel_vfs_context *ctx = nd->ni_context;
  if (nd->ni_needs_directory)
    return KERNEL_EISDIR;
  int32_t error = vn_authorize_create(nd->ni_dvp, &nd->ni_cnd, vap, ctx, NULL);
  if (error)
    return error;
  error = VNOP_CREATE(nd->ni_dvp, &nd->ni_vp, &nd->ni_cnd, vap, ctx);
  *was_taken = error == KERNEL_EEXIST;
  return error == 0 && !nd->ni_vp ? KERNEL_EIO : error;
}

static int32_t open_existing(kernel_nameidata *nd, int32_t *fmodep) {
  if ((*fmodep & KERNEL_O_CREAT) && (*fmodep & KERNEL_O_EXCL))
    return KERNEL_EEXIST;
  if (nd->ni_needs_directory && nd->ni_vp->v_type != KERNEL_VDIR)
    return KERNEL_ENOTDIR;
  return vn_authorize_open_existing(nd->ni_vp, &nd->ni_cnd, *fmodep, nd->ni_context, NULL);
}

/* Listeners hear of the open before the file is truncated and before the descriptor can be used. */
static int32_t finish(kernel_nameidata *nd, int32_t fmode) {
  const int32_t error = VNOP_OPEN(nd->ni_vp, fmode, nd->ni_context);
  if (error)
    return error;
  mac_vnode_notify_open(nd->ni_context, nd->ni_vp, fmode);
  kauth_authorize_fileop(nd->ni_context->vc_ucred, KERNEL_KAUTH_FILEOP_OPEN, (uintptr_t)nd->ni_vp, 0);
  return 0;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, vn_open_auth, (kernel_nameidata * nd, int32_t *fmodep, kernel_vnode_attr *vap)) {
  for (int races = 0;; races++) {
    int was_taken = 0;
    int32_t error = namei(nd);
    if (error)
      return error;
    if (nd->ni_vp)
      error = open_existing(nd, fmodep);
    else
      error = create(nd, vap, &was_taken);
    if (error == 0)
      error = finish(nd, *fmodep);
    if (error == 0)
      return 0;
    nameidone(nd);
    if (!was_taken || (*fmodep & KERNEL_O_EXCL) || races == MOST_RACES)
      return error;
  }
}

KERNEL_FUNCTION(int32_t, close_internal,
                (const kernel_vfs_context *ctx, int32_t fd, kernel_vnode *vp, int32_t is_written)) {
  (void)fd;
  kauth_authorize_fileop(ctx->vc_ucred, KERNEL_KAUTH_FILEOP_CLOSE, (uintptr_t)vp,
                         is_written ? KERNEL_KAUTH_FILEOP_CLOSE_MODIFIED : 0);
  return 0;
}
