/* SPDX-License-Identifier: Apache-2.0
 * Files in the memory of processes. */
#include "kernel_errno.h"
#include "kernel_image_function.h"
#include "kernel_images.h"

KERNEL_FUNCTION(int32_t, kernel_mmap, (kernel_proc * p, kernel_fileglob *fg, kernel_mmap_args *uap)) {
  const kernel_vfs_context *ctx = p->p_context;
  if (fg->fg_data->v_type != KERNEL_VREG)
    return KERNEL_ENODEV;
  if (uap->len == 0 || uap->pos % KERNEL_PAGE_SIZE != 0)
    return KERNEL_EINVAL;
  uap->prot &= KERNEL_PROT_READ | KERNEL_PROT_WRITE | KERNEL_PROT_EXEC;
  const int is_shared = (uap->flags & KERNEL_MAP_SHARED) != 0;
  if (!(fg->fg_flag & KERNEL_FREAD) ||
      (is_shared && (uap->prot & KERNEL_PROT_WRITE) && !(fg->fg_flag & KERNEL_FWRITE)))
    return KERNEL_EACCES;
  int32_t maxprot = KERNEL_PROT_READ | KERNEL_PROT_EXEC;
  if (!is_shared || (fg->fg_flag & KERNEL_FWRITE))
    maxprot |= KERNEL_PROT_WRITE;
  if (is_shared && (fg->fg_flag & KERNEL_FWRITE)) {
    const int32_t error = vnode_authorize(fg->fg_data, NULL, KERNEL_KAUTH_VNODE_CHECKIMMUTABLE, ctx);
    if (error)
      return error;
  }
  const int32_t error = mac_file_check_mmap(ctx->vc_ucred, p, fg, uap, &maxprot);
  if (error)
    return error;
  if (uap->prot & ~maxprot)
    return KERNEL_EACCES;
  return p->p_kernel->operations->map(p->p_kernel->context, p, fg->fg_data, uap->pos, uap->len, uap->prot, uap->flags,
                                      &uap->addr);
}

KERNEL_FUNCTION_PATCHABLE(int32_t, ubc_cs_blob_add, (kernel_proc * p, kernel_vnode *vp, uint64_t offset)) {
  return mac_vnode_check_signature(p, vp, offset);
}

KERNEL_FUNCTION(int32_t, kernel_check_library_validation, (kernel_proc * p, kernel_fileglob *fg, uint64_t offset)) {
  return mac_file_check_library_validation(p, fg, offset);
}

/* The process decides by its flags what becomes of the page: the third of three cases lets it in. */
KERNEL_FUNCTION_PATCHABLE(int32_t, cs_invalid_page,
                          (kernel_proc * p, kernel_vnode *vp, uint64_t offset, uint32_t *csflags,
                           int32_t *is_killed)) {
  (void)p;
  (void)vp;
  (void)offset;
  *is_killed = 0;
  if (*csflags & KERNEL_CS_KILL) {
    *is_killed = 1;
    return 1;
  }
  if (*csflags & KERNEL_CS_HARD)
    return 1;
  *csflags &= ~KERNEL_CS_VALID;
  return 0;
}
