/* SPDX-License-Identifier: Apache-2.0
 * New names: links, directories, symbolic links; and files that exchange their data. */
#include "kernel_errno.h"
#include "kernel_files.h"
#include "kernel_image_function.h"
#include "vfs.h"

KERNEL_FUNCTION(int32_t, VNOP_LINK,
                (kernel_vnode * vp, kernel_vnode *tdvp, kernel_componentname *cnp, const kernel_vfs_context *ctx)) {
  (void)ctx;
  return vp->v_mount->operations->link(vp->v_mount->context, vp, tdvp, cnp);
}

static int32_t link_found(kernel_vnode *vp, kernel_nameidata *link, const kernel_vfs_context *ctx) {
  if (link->ni_vp)
    return KERNEL_EEXIST;
  int32_t error = mac_vnode_check_link(ctx, link->ni_dvp, vp, &link->ni_cnd);
  if (error == 0)
    error = vnode_authorize(vp, NULL, KERNEL_KAUTH_VNODE_LINKTARGET, ctx);
  if (error == 0)
    error = vnode_authorize(link->ni_dvp, NULL, KERNEL_KAUTH_VNODE_ADD_FILE, ctx);
  if (error)
    return error;
  vfs_path target, new;
  const int is_told = kauth_authorize_fileop_has_listeners(ctx->vc_ucred) && vfs_path_of(vp, &target) &&
                      vfs_path_of_name(link->ni_dvp, &link->ni_cnd, &new);
  error = VNOP_LINK(vp, link->ni_dvp, &link->ni_cnd, ctx);
  if (error)
    return error;
  mac_vnode_notify_link(ctx, vp, link->ni_dvp, &link->ni_cnd);
  if (is_told)
    kauth_authorize_fileop(ctx->vc_ucred, KERNEL_KAUTH_FILEOP_LINK, (uintptr_t)target.text, (uintptr_t) new.text);
  return 0;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, linkat_internal,
                          (const kernel_vfs_context *ctx, const char *target, size_t targetlen, const char *link,
                           size_t linklen)) {
  kernel_nameidata old, new;
  int32_t error = vfs_find(&old, ctx, target, targetlen, KERNEL_NAMEI_FOLLOW);
  if (error)
    return error;
  if (old.ni_vp->v_type == KERNEL_VDIR)
    error = KERNEL_EPERM;
  else
    error = vfs_find(&new, ctx, link, linklen, KERNEL_NAMEI_PARENT);
  if (error == 0) {
    error = new.ni_needs_directory ? KERNEL_ENOENT : link_found(old.ni_vp, &new, ctx);
    nameidone(&new);
  }
  nameidone(&old);
  return error;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, VNOP_EXCHANGE,
                          (kernel_vnode * fvp, kernel_vnode *tvp, int32_t options, const kernel_vfs_context *ctx)) {
  (void)options;
  (void)ctx;
  return fvp->v_mount->operations->exchange(fvp->v_mount->context, fvp, tvp);
}

static int32_t exchange_found(kernel_vnode *first, kernel_vnode *second, const kernel_vfs_context *ctx) {
  if (first == second || first->v_type != KERNEL_VREG || second->v_type != KERNEL_VREG)
    return KERNEL_EINVAL;
  const uint32_t rights = KERNEL_KAUTH_VNODE_READ_DATA | KERNEL_KAUTH_VNODE_WRITE_DATA;
  int32_t error = mac_vnode_check_exchangedata(ctx, first, second);
  if (error == 0)
    error = vnode_authorize(first, NULL, rights, ctx);
  if (error == 0)
    error = vnode_authorize(second, NULL, rights, ctx);
  if (error)
    return error;
  vfs_path one, other;
  const int is_told =
      kauth_authorize_fileop_has_listeners(ctx->vc_ucred) && vfs_path_of(first, &one) && vfs_path_of(second, &other);
  error = VNOP_EXCHANGE(first, second, 0, ctx);
  if (error == 0 && is_told)
    kauth_authorize_fileop(ctx->vc_ucred, KERNEL_KAUTH_FILEOP_EXCHANGE, (uintptr_t)one.text, (uintptr_t)other.text);
  return error;
}

KERNEL_FUNCTION(int32_t, exchangedata,
                (const kernel_vfs_context *ctx, const char *first, size_t firstlen, const char *second,
                 size_t secondlen)) {
  kernel_nameidata one, other;
  int32_t error = vfs_find(&one, ctx, first, firstlen, KERNEL_NAMEI_FOLLOW);
  if (error)
    return error;
  error = vfs_find(&other, ctx, second, secondlen, KERNEL_NAMEI_FOLLOW);
  if (error == 0) {
    error = exchange_found(one.ni_vp, other.ni_vp, ctx);
    nameidone(&other);
  }
  nameidone(&one);
  return error;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, VNOP_MKDIR,
                          (kernel_vnode * dvp, kernel_vnode **vpp, kernel_componentname *cnp, kernel_vnode_attr *vap,
                           const kernel_vfs_context *ctx)) {
  return dvp->v_mount->operations->create(dvp->v_mount->context, dvp, vpp, cnp, vap, ctx);
}

KERNEL_FUNCTION(int32_t, mkdir1at,
                (const kernel_vfs_context *ctx, const char *path, size_t length, kernel_vnode_attr *vap)) {
  kernel_nameidata nd;
  int32_t error = vfs_find(&nd, ctx, path, length, KERNEL_NAMEI_PARENT);
  if (error)
    return error;
  error = nd.ni_vp ? KERNEL_EEXIST : mac_vnode_check_create(ctx, nd.ni_dvp, &nd.ni_cnd, vap);
  if (error == 0)
    error = vnode_authorize(nd.ni_dvp, NULL, KERNEL_KAUTH_VNODE_ADD_SUBDIRECTORY, ctx);
  if (error == 0)
    error = VNOP_MKDIR(nd.ni_dvp, &nd.ni_vp, &nd.ni_cnd, vap, ctx);
  nameidone(&nd);
  return error;
}

KERNEL_FUNCTION(int32_t, VNOP_SYMLINK,
                (kernel_vnode * dvp, kernel_vnode **vpp, kernel_componentname *cnp, kernel_vnode_attr *vap,
                 const kernel_vfs_context *ctx)) {
  return dvp->v_mount->operations->create(dvp->v_mount->context, dvp, vpp, cnp, vap, ctx);
}

KERNEL_FUNCTION_PATCHABLE(int32_t, symlinkat_internal,
                          (const kernel_vfs_context *ctx, kernel_vnode_attr *vap, const char *path, size_t length)) {
  kernel_nameidata nd;
  int32_t error = vfs_find(&nd, ctx, path, length, KERNEL_NAMEI_PARENT);
  if (error)
    return error;
  error = nd.ni_vp ? KERNEL_EEXIST : nd.ni_needs_directory ? KERNEL_ENOENT : 0;
  if (error == 0)
    error = mac_vnode_check_create(ctx, nd.ni_dvp, &nd.ni_cnd, vap);
  if (error == 0)
    error = vnode_authorize(nd.ni_dvp, NULL, KERNEL_KAUTH_VNODE_ADD_FILE, ctx);
  if (error == 0)
    error = VNOP_SYMLINK(nd.ni_dvp, &nd.ni_vp, &nd.ni_cnd, vap, ctx);
  nameidone(&nd);
  return error;
}
