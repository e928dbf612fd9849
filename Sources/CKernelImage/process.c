/* SPDX-License-Identifier: Apache-2.0
 * The beginning and the end of processes, and tracing. */
#include "kernel_errno.h"
#include "kernel_image_function.h"
#include "kernel_processes.h"

#define OPERATION(p, name) (p)->p_kernel->operations->name
#define CONTEXT(p) (p)->p_kernel->context

static uint32_t uid(kernel_proc *p) { return OPERATION(p, uid)(CONTEXT(p), p); }

KERNEL_FUNCTION(int32_t, fork1, (kernel_proc * parent, kernel_proc **childp, int32_t kind)) {
  (void)kind;
  int32_t error = OPERATION(parent, check_limits)(CONTEXT(parent), parent);
  if (error == 0)
    error = mac_proc_check_fork(parent);
  if (error == 0)
    error = OPERATION(parent, cloneproc)(CONTEXT(parent), parent, childp);
  if (error == 0)
    mac_cred_label_associate_fork((*childp)->p_context->vc_ucred, *childp);
  return error;
}

/* Files are closed without close_internal: nobody hears of that. */
KERNEL_FUNCTION_PATCHABLE(void, proc_exit, (kernel_proc * p)) {
  OPERATION(p, fdfree)(CONTEXT(p), p);
  OPERATION(p, reparent)(CONTEXT(p), p);
  mac_proc_notify_exit(p);
  OPERATION(p, zombie)(CONTEXT(p), p);
}

/* The process scope's own answer to CANTRACE. */
KERNEL_FUNCTION(int32_t, cantrace,
                (kernel_proc * cur_procp, const kernel_ucred *creds, kernel_proc *traced_procp, int32_t *errp)) {
  const uint32_t flags = OPERATION(traced_procp, flags)(CONTEXT(traced_procp), traced_procp);
  int32_t error = 0;
  if (cur_procp == traced_procp)
    error = KERNEL_EINVAL;
  else if (flags & KERNEL_P_LTRACED)
    error = KERNEL_EBUSY;
  else if (creds->cr_uid != 0 && creds->cr_uid != uid(traced_procp))
    error = KERNEL_EPERM;
  else if (flags & KERNEL_P_LNOATTACH)
    error = KERNEL_EBUSY;
  else
    error = mac_proc_check_debug(cur_procp, traced_procp);
  *errp = error;
  return error == 0;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, ptrace_attach, (kernel_proc * p, kernel_proc *target)) {
  int32_t better = 0;
  const int32_t error =
      kauth_authorize_process(p->p_context->vc_ucred, KERNEL_KAUTH_PROCESS_CANTRACE, target->p_context->vc_proc,
                              (uintptr_t)&better, 0, 0);
  if (error)
    return better ? better : error;
  OPERATION(p, attach)(CONTEXT(p), p, target);
  return 0;
}

/* Root, or the same user; the errno of a policy is lost. */
KERNEL_FUNCTION(int32_t, task_for_pid, (kernel_proc * p, kernel_proc *target)) {
  const kernel_ucred *credential = p->p_context->vc_ucred;
  if (p != target) {
    if (credential->cr_uid != 0 && credential->cr_uid != uid(target))
      return KERNEL_KERN_FAILURE;
    if (mac_proc_check_get_task(credential, target))
      return KERNEL_KERN_FAILURE;
  }
  return KERNEL_KERN_SUCCESS;
}
