/* SPDX-License-Identifier: Apache-2.0
 * Exec: from the name of a file to a process that runs it. */
#include "exec.h"
#include "kernel_errno.h"
#include "kernel_image_function.h"
#include <stdlib.h>

/* The activators, in the order in which they are asked whether an image is theirs. */
static int32_t (*const execsw[])(kernel_image_params *imgp) = {exec_mach_imgact, exec_fat_imgact, exec_shell_imgact};

static void release(kernel_vnode **vpp) {
  if (*vpp)
    vnode_put(*vpp);
  *vpp = NULL;
}

void exec_cleanup(kernel_image_params *imgp) {
  nameidone(&imgp->ip_nd);
  release(&imgp->ip_vp);
  release(&imgp->ip_scriptvp);
  free(imgp->ip_strings);
  imgp->ip_strings = imgp->ip_startargv = imgp->ip_endargv = imgp->ip_endenvv = NULL;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, exec_check_permissions, (kernel_image_params *imgp)) {
  const kernel_vfs_context *ctx = imgp->ip_vfs_context;
  kernel_exec_attr *attr = &imgp->ip_origvattr;
  if (imgp->ip_vp->v_type != KERNEL_VREG)
    return KERNEL_EACCES;
  EXEC_OPERATION(imgp, getattr)(EXEC_CONTEXT(imgp), imgp->ip_vp, attr);
  if ((attr->va_mode & 0111) == 0)
    return KERNEL_EACCES;
  if (attr->va_data_size == 0)
    return KERNEL_ENOEXEC;
  const int32_t error = mac_vnode_check_exec(ctx, imgp->ip_vp, imgp);
  if (error)
    return error;
  uint32_t action = KERNEL_KAUTH_VNODE_EXECUTE;
  if (EXEC_OPERATION(imgp, flags)(EXEC_CONTEXT(imgp), imgp->ip_proc) & KERNEL_P_LTRACED)
    action |= KERNEL_KAUTH_VNODE_READ_DATA;
  return vnode_authorize(imgp->ip_vp, NULL, action, ctx);
}

/* Reads the first page of the image, or of the slice of a fat one. */
static void read_page(kernel_image_params *imgp) {
  EXEC_OPERATION(imgp, read)
  (EXEC_CONTEXT(imgp), imgp->ip_vp, imgp->ip_arch_offset, imgp->ip_vdata, sizeof imgp->ip_vdata, &imgp->ip_vdatalen);
}

/* Finds the file, or the interpreter that a script names. */
static int32_t find(kernel_image_params *imgp, const char *path, size_t length) {
  nameidone(&imgp->ip_nd);
  release(&imgp->ip_vp);
  int32_t error = vfs_find(&imgp->ip_nd, imgp->ip_vfs_context, path, length, KERNEL_NAMEI_FOLLOW);
  if (error)
    return error;
  imgp->ip_vp = imgp->ip_nd.ni_vp;
  imgp->ip_nd.ni_vp = NULL;
  /* A hook that makes a look-up look successful has found nothing. */
  if (!imgp->ip_vp)
    return KERNEL_ENOENT;
  if (EXEC_OPERATION(imgp, flags)(EXEC_CONTEXT(imgp), imgp->ip_proc) & KERNEL_P_LEXIT)
    return KERNEL_EDEADLK;
  error = exec_check_permissions(imgp);
  if (error == 0)
    read_page(imgp);
  return error;
}

static int32_t ask_activators(kernel_image_params *imgp) {
  int32_t error = KERNEL_IMGACT_UNCLAIMED;
  for (size_t i = 0; error == KERNEL_IMGACT_UNCLAIMED && i < sizeof execsw / sizeof execsw[0]; i++)
    error = execsw[i](imgp);
  return error;
}

KERNEL_FUNCTION(int32_t, exec_activate_image, (kernel_image_params *imgp)) {
  if (imgp->ip_user_fnamelen >= KERNEL_MAXPATHLEN)
    return KERNEL_ENAMETOOLONG;
  int32_t error = find(imgp, imgp->ip_user_fname, imgp->ip_user_fnamelen);
  while (error == 0) {
    if (++imgp->ip_iterations > KERNEL_EAI_ITERLIMIT)
      return KERNEL_EBADEXEC;
    error = ask_activators(imgp);
    switch (error) {
    case KERNEL_IMGACT_UNCLAIMED:
      return KERNEL_ENOEXEC;
    case KERNEL_IMGACT_ENCAPSULATED:
      read_page(imgp);
      error = 0;
      continue;
    case KERNEL_IMGACT_INTERPRETER:
      imgp->ip_scriptvp = imgp->ip_vp;
      imgp->ip_vp = NULL;
      error = find(imgp, imgp->ip_interp_path, strlen(imgp->ip_interp_path));
      continue;
    case 0:
      /* Of a script, the interpreter: listeners never hear of the script, nor of any argument. Sent also when it was
       * too late to fail. */
      kauth_authorize_fileop(imgp->ip_vfs_context->vc_ucred, KERNEL_KAUTH_FILEOP_EXEC, (uintptr_t)imgp->ip_vp, 0);
      return 0;
    }
  }
  return error;
}

/* What policies said when it was too late ends the process now. */
KERNEL_FUNCTION_PATCHABLE(int32_t, check_for_signature, (kernel_proc * p, kernel_image_params *imgp)) {
  if (imgp->ip_mac_return == 0)
    return 0;
  exec_too_late(imgp, p, KERNEL_EACCES, KERNEL_EXEC_REASON_SECURITY_POLICY);
  return KERNEL_EACCES;
}

static int32_t execute(kernel_proc *p, kernel_image_params *imgp) {
  const int32_t error = exec_activate_image(imgp);
  if (error || imgp->ip_late_error)
    return error;
  if (check_for_signature(p, imgp) == 0)
    mac_proc_notify_exec_complete(p);
  return 0;
}

KERNEL_FUNCTION(int32_t, __mac_execve, (kernel_proc * p, kernel_image_params *imgp)) { return execute(p, imgp); }

static void end(kernel_proc *child) {
  child->p_kernel->operations->kill(child->p_kernel->context, child, KERNEL_SIGKILL, 0, 0);
}

/* A child that could not become the image goes as it came. */
KERNEL_FUNCTION_PATCHABLE(int32_t, kernel_posix_spawn,
                          (kernel_proc * parent, kernel_image_params *imgp, kernel_proc **childp)) {
  kernel_proc *child = NULL;
  int32_t error = fork1(parent, &child, 0);
  *childp = child;
  if (!child)
    return error ? error : KERNEL_EAGAIN;
  if (error) {
    /* A hook had the last word. */
    end(child);
    return error;
  }
  imgp->ip_flags |= KERNEL_IMGPF_SPAWN;
  imgp->ip_proc = child;
  imgp->ip_vfs_context = child->p_context;
  error = execute(child, imgp);
  if (error == 0)
    return imgp->ip_late_error;
  end(child);
  return error;
}
