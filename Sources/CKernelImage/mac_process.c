/* SPDX-License-Identifier: Apache-2.0
 * What processes and images ask the MAC framework, with the arguments of the operations' prototypes; labels are NULL. */
#include "kernel_image_function.h"
#include "kernel_images.h"

const char *kernel_process_policy_name(enum kernel_process_policy policy) {
#define POLICY_NAME(constant, name) name,
  static const char *const names[] = {KERNEL_PROCESS_POLICY_TABLE(POLICY_NAME)};
#undef POLICY_NAME
  return names[policy];
}

#define ARGUMENT(value) ((uint64_t)(uintptr_t)(value))

/* Most releases do not have every operation: nothing is put together then. */
#define ASK(kernel, constant, ...)                                                                                     \
  do {                                                                                                                 \
    const kernel_processes *asked = (kernel);                                                                          \
    if (asked->policies & (1u << KERNEL_PROCESS_POLICY_##constant)) {                                                  \
      const uint64_t arguments[] = {__VA_ARGS__};                                                                      \
      return asked->operations->policy(asked->context, KERNEL_PROCESS_POLICY_##constant, arguments,                    \
                                       sizeof arguments / sizeof arguments[0]);                                        \
    }                                                                                                                  \
    return 0;                                                                                                          \
  } while (0)

#define TELL(kernel, constant, ...)                                                                                    \
  do {                                                                                                                 \
    const kernel_processes *told = (kernel);                                                                           \
    if (told->policies & (1u << KERNEL_PROCESS_POLICY_##constant)) {                                                   \
      const uint64_t arguments[] = {__VA_ARGS__};                                                                      \
      told->operations->policy(told->context, KERNEL_PROCESS_POLICY_##constant, arguments,                             \
                               sizeof arguments / sizeof arguments[0]);                                                \
    }                                                                                                                  \
  } while (0)

#define CREDENTIAL(p) ARGUMENT((p)->p_context->vc_ucred)

KERNEL_FUNCTION(int32_t, mac_proc_check_fork, (kernel_proc * curp)) {
  ASK(curp->p_kernel, FORK, CREDENTIAL(curp), ARGUMENT(curp));
}

KERNEL_FUNCTION_PATCHABLE(void, mac_cred_label_associate_fork, (const kernel_ucred *cred, kernel_proc *child)) {
  TELL(child->p_kernel, ASSOCIATE_FORK, ARGUMENT(cred), ARGUMENT(child));
}

/* There is no argv here: the strings are still in the memory of the process. */
KERNEL_FUNCTION(int32_t, mac_vnode_check_exec,
                (const kernel_vfs_context *ctx, kernel_vnode *vp, kernel_image_params *imgp)) {
  uint32_t csflags = 0;
  ASK(imgp->ip_proc->p_kernel, EXEC, ARGUMENT(ctx->vc_ucred), ARGUMENT(vp), ARGUMENT(imgp->ip_scriptvp), 0, 0, 0,
      ARGUMENT(&imgp->ip_nd.ni_cnd), ARGUMENT(&csflags), 0, 0);
}

KERNEL_FUNCTION_PATCHABLE(int32_t, mac_vnode_check_signature, (kernel_proc * p, kernel_vnode *vp, uint64_t offset)) {
  uint32_t cs_flags = KERNEL_CS_VALID;
  uint32_t signer_type = 0;
  char *failure = NULL;
  size_t failurelen = 0;
  ASK(p->p_kernel, SIGNATURE, ARGUMENT(vp), 0, 0, ARGUMENT(&cs_flags), ARGUMENT(&signer_type), 0, ARGUMENT(&failure),
      ARGUMENT(&failurelen), offset);
}

KERNEL_FUNCTION(int32_t, mac_cred_check_label_update_execve,
                (const kernel_vfs_context *ctx, kernel_image_params *imgp)) {
  ASK(imgp->ip_proc->p_kernel, CHECK_LABEL_UPDATE, ARGUMENT(ctx->vc_ucred), ARGUMENT(imgp->ip_vp),
      imgp->ip_arch_offset, ARGUMENT(imgp->ip_scriptvp), 0, 0, 0, ARGUMENT(imgp->ip_proc), 0, 0);
}

KERNEL_FUNCTION_PATCHABLE(int32_t, mac_cred_label_update_execve,
                          (const kernel_vfs_context *ctx, const kernel_ucred *new_cred, kernel_image_params *imgp)) {
  uint32_t csflags = KERNEL_CS_VALID;
  int32_t disjoint = 0;
  ASK(imgp->ip_proc->p_kernel, LABEL_UPDATE, ARGUMENT(ctx->vc_ucred), ARGUMENT(new_cred), ARGUMENT(imgp->ip_proc),
      ARGUMENT(imgp->ip_vp), imgp->ip_arch_offset, ARGUMENT(imgp->ip_scriptvp), 0, 0, 0, ARGUMENT(&csflags), 0, 0,
      ARGUMENT(&disjoint));
}

KERNEL_FUNCTION(void, mac_proc_notify_exec_complete, (kernel_proc * p)) {
  TELL(p->p_kernel, NOTIFY_EXEC_COMPLETE, ARGUMENT(p));
}

KERNEL_FUNCTION_PATCHABLE(void, mac_proc_notify_exit, (kernel_proc * p)) {
  TELL(p->p_kernel, NOTIFY_EXIT, ARGUMENT(p));
}

KERNEL_FUNCTION(int32_t, mac_proc_check_debug, (kernel_proc * curp, kernel_proc *target)) {
  ASK(curp->p_kernel, DEBUG, CREDENTIAL(curp), ARGUMENT(target));
}

KERNEL_FUNCTION_PATCHABLE(int32_t, mac_proc_check_get_task, (const kernel_ucred *cred, kernel_proc *target)) {
  ASK(target->p_kernel, GET_TASK, ARGUMENT(cred), ARGUMENT(target));
}

/* The policies may take away what the mapping can become later, and never add to it. */
KERNEL_FUNCTION(int32_t, mac_file_check_mmap,
                (const kernel_ucred *cred, kernel_proc *p, kernel_fileglob *fg, kernel_mmap_args *uap,
                 int32_t *maxprot)) {
  ASK(p->p_kernel, MMAP, ARGUMENT(cred), ARGUMENT(fg), 0, (uint64_t)uap->prot, (uint64_t)uap->flags, uap->pos,
      ARGUMENT(maxprot));
}

KERNEL_FUNCTION_PATCHABLE(int32_t, mac_file_check_library_validation,
                          (kernel_proc * p, kernel_fileglob *fg, uint64_t offset)) {
  ASK(p->p_kernel, LIBRARY_VALIDATION, ARGUMENT(p), ARGUMENT(fg), offset, 0, 0);
}
