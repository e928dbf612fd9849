/* SPDX-License-Identifier: Apache-2.0
 * Names, vnodes and the rights to them. */
#include "kernel_errno.h"
#include "kernel_files.h"
#include "kernel_image_function.h"
#include "vfs.h"
#include <string.h>

KERNEL_FUNCTION(int32_t, namei, (kernel_nameidata * nd)) {
  const kernel_filesystem *filesystem = nd->ni_context->vc_filesystem;
  nd->ni_dvp = NULL;
  nd->ni_vp = NULL;
  nd->ni_needs_directory = 0;
  nd->ni_cnd = (kernel_componentname){nd->ni_name, 0, 0};
  return filesystem->operations->lookup(filesystem->context, nd);
}

void nameidone(kernel_nameidata *nd) {
  if (nd->ni_vp)
    vnode_put(nd->ni_vp);
  if (nd->ni_dvp)
    vnode_put(nd->ni_dvp);
  nd->ni_vp = NULL;
  nd->ni_dvp = NULL;
}

void vnode_put(kernel_vnode *vp) { vp->v_mount->operations->put(vp->v_mount->context, vp); }

KERNEL_FUNCTION_PATCHABLE(int32_t, vn_getpath, (kernel_vnode * vp, char *path, int32_t *length)) {
  return vp->v_mount->operations->getpath(vp->v_mount->context, vp, path, length);
}

/* The scope's callback and any listener may leave an errno that fits better than "no". */
KERNEL_FUNCTION(int32_t, vnode_authorize,
                (kernel_vnode * vp, kernel_vnode *dvp, uint32_t action, const kernel_vfs_context *ctx)) {
  const kernel_ucred *credential = ctx->vc_ucred;
  kernel_kauth_scope *scope = kernel_kauth_scope_of(credential->cr_kauth, KERNEL_KAUTH_SCOPE_VNODE);
  int32_t better = 0;
  int32_t error = kauth_authorize_action(scope, credential, action, (uintptr_t)ctx, (uintptr_t)vp, (uintptr_t)dvp,
                                         (uintptr_t)&better);
  if (error == KERNEL_EPERM)
    error = KERNEL_EACCES;
  return error && better ? better : error;
}

/* The rights cache of a vnode is one word, so that it is read and replaced at once: whose rights (24 bits), how often
 * rights were taken away (8 bits), which rights (32 bits). One credential at a time, as in XNU. */
#define RIGHTS_OWNER(word) ((word) >> 40)
#define RIGHTS_ROUND(word) ((word) & 0xff00000000u)

uint64_t kernel_vnode_rights(const kernel_vnode *vp) { return __atomic_load_n(&vp->v_rights, __ATOMIC_ACQUIRE); }

int vnode_cache_is_authorized(const kernel_vnode *vp, const kernel_vfs_context *ctx, uint32_t action) {
  const uint64_t rights = kernel_vnode_rights(vp);
  return RIGHTS_OWNER(rights) == (ctx->vc_ucred->cr_id & 0xffffff) && ((uint32_t)rights & action) == action;
}

void vnode_cache_authorized_action(kernel_vnode *vp, const kernel_ucred *credential, uint32_t action, uint64_t before) {
  const uint64_t owner = credential->cr_id & 0xffffff;
  uint64_t rights = RIGHTS_ROUND(before) | owner << 40 | action;
  if (RIGHTS_OWNER(before) == owner)
    rights |= (uint32_t)before;
  __atomic_compare_exchange_n(&vp->v_rights, &before, rights, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void vnode_uncache_authorized_action(kernel_vnode *vp) {
  uint64_t before = kernel_vnode_rights(vp);
  while (!__atomic_compare_exchange_n(&vp->v_rights, &before, RIGHTS_ROUND(before + 0x100000000u), 0, __ATOMIC_ACQ_REL,
                                      __ATOMIC_ACQUIRE))
    ;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, vn_stat, (kernel_vnode * vp, const kernel_vfs_context *ctx)) {
  const int32_t error = mac_vnode_check_stat(ctx, vp);
  return error ? error
               : vnode_authorize(vp, NULL, KERNEL_KAUTH_VNODE_READ_ATTRIBUTES | KERNEL_KAUTH_VNODE_READ_SECURITY, ctx);
}

KERNEL_FUNCTION(int32_t, chmod_vnode, (kernel_vnode * vp, uint16_t mode, const kernel_vfs_context *ctx)) {
  int32_t error = mac_vnode_check_setmode(ctx, vp, mode);
  if (error == 0)
    error = vnode_authorize(vp, NULL, KERNEL_KAUTH_VNODE_WRITE_SECURITY, ctx);
  if (error == 0)
    error = vp->v_mount->operations->setmode(vp->v_mount->context, vp, mode);
  return error;
}

int32_t vfs_find(kernel_nameidata *nd, const kernel_vfs_context *ctx, const char *path, size_t length,
                 uint32_t flags) {
  nd->ni_context = ctx;
  nd->ni_path = path;
  nd->ni_pathlen = length;
  nd->ni_flags = flags;
  const int32_t error = namei(nd);
  if (error == 0 && nd->ni_vp && nd->ni_needs_directory && nd->ni_vp->v_type != KERNEL_VDIR) {
    nameidone(nd);
    return KERNEL_ENOTDIR;
  }
  return error;
}

int vfs_path_of(kernel_vnode *vp, vfs_path *path) {
  path->length = sizeof path->text;
  return vn_getpath(vp, path->text, &path->length) == 0;
}

int vfs_path_of_name(kernel_vnode *dvp, const kernel_componentname *cnp, vfs_path *path) {
  if (!vfs_path_of(dvp, path))
    return 0;
  size_t end = (size_t)path->length - 1;
  if (end > 1)
    path->text[end++] = '/';
  if (end + cnp->cn_namelen + 1 > sizeof path->text)
    return 0;
  memcpy(path->text + end, cnp->cn_nameptr, cnp->cn_namelen);
  end += cnp->cn_namelen;
  path->text[end++] = 0;
  path->length = (int32_t)end;
  return 1;
}
