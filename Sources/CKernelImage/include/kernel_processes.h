/* SPDX-License-Identifier: Apache-2.0
 * The kernel's processes: fork, exec, exit and tracing, above the process table that the model brings.
 *
 * Functions have the names, the order of checks and the points of no return of XNU's (10.13.6). What happens to
 * processes happens in kernel_process_operations, below every function that can be hooked. Numbers are Darwin's. */
#ifndef KERNEL_PROCESSES_H
#define KERNEL_PROCESSES_H

#include "kernel_files.h"

/* Bits of kernel_process_operations.flags: the process is on its way out; somebody traces it; it never lets itself be
 * traced. */
#define KERNEL_P_LEXIT 0x1u
#define KERNEL_P_LTRACED 0x2u
#define KERNEL_P_LNOATTACH 0x4u

/* Why the kernel ended a process: the namespace OS_REASON_EXEC, and some of its codes. */
#define KERNEL_OS_REASON_CODESIGNING 3
#define KERNEL_OS_REASON_EXEC 9
#define KERNEL_EXEC_REASON_BAD_MACHO 1
#define KERNEL_EXEC_REASON_SUGID_FAILURE 2
#define KERNEL_EXEC_REASON_SECURITY_POLICY 8
#define KERNEL_CODESIGNING_INVALID_PAGE 2

#define KERNEL_SIGABRT 6
#define KERNEL_SIGKILL 9

/* ARG_MAX, IMG_SHSIZE, EAI_ITERLIMIT, and a page. */
#define KERNEL_NCARGS (256 * 1024)
#define KERNEL_IMG_SHSIZE 512
#define KERNEL_EAI_ITERLIMIT 3
#define KERNEL_PAGE_SIZE 4096

/* What image activators answer beside errnos. */
#define KERNEL_IMGACT_UNCLAIMED (-1)
#define KERNEL_IMGACT_ENCAPSULATED (-2)
#define KERNEL_IMGACT_INTERPRETER (-3)

/* image_params.ip_flags */
#define KERNEL_IMGPF_SPAWN 0x1u     /* for a process that posix_spawn has just made */
#define KERNEL_IMGPF_INTERPRET 0x2u /* a script, whose interpreter is the image now */

/* Results of task_for_pid: kern_return_t. */
#define KERNEL_KERN_SUCCESS 0
#define KERNEL_KERN_FAILURE 5

/* A process, as the kernel's functions pass it. */
typedef struct kernel_proc {
  const struct kernel_processes *p_kernel;
  const kernel_vfs_context *p_context;
  void *p_data; /* the model's own object */
  int32_t p_pid;
} kernel_proc;

/* Texts that a process hands to exec: each ended by a NUL. */
typedef struct kernel_strings {
  const char *text;
  size_t size;
  uint32_t count;
} kernel_strings;

/* What exec needs to know of a file. */
typedef struct kernel_exec_attr {
  uint64_t va_data_size;
  uint32_t va_uid, va_gid;
  uint16_t va_mode;
} kernel_exec_attr;

/* An exec: image_params. Texts between ip_startargv and ip_endargv are ended by a NUL each. */
typedef struct kernel_image_params {
  const kernel_vfs_context *ip_vfs_context; /* who executes; of a process that is being made, its own */
  kernel_proc *ip_proc;
  const char *ip_user_fname;
  size_t ip_user_fnamelen;
  kernel_strings ip_user_argv, ip_user_envv;
  uint32_t ip_flags;
  uint32_t ip_iterations;
  kernel_vnode *ip_vp, *ip_scriptvp; /* held until exec_cleanup; ip_vp is the interpreter of a script */
  kernel_exec_attr ip_origvattr;
  uint64_t ip_arch_offset;
  uint32_t ip_origcputype; /* 0 until a fat header was read */
  size_t ip_vdatalen;
  char *ip_strings, *ip_startargv, *ip_endargv, *ip_endenvv; /* NULL until exec_extract_strings */
  int32_t ip_argc, ip_envc;
  int32_t ip_mac_return; /* what policies said when it was too late */
  int32_t ip_late_error; /* why it failed behind the point of no return: the process is being killed */
  kernel_nameidata ip_nd;
  char ip_interp_buffer[KERNEL_IMG_SHSIZE]; /* "/bin/sh -x" of a script */
  char ip_interp_path[KERNEL_IMG_SHSIZE];
  char ip_vdata[KERNEL_PAGE_SIZE];
} kernel_image_params;

/* The MAC operations that are asked for: OP(constant, "name"). */
#define KERNEL_PROCESS_POLICY_TABLE(OP)                                                                                \
  OP(FORK, "mpo_proc_check_fork")                                                                                      \
  OP(ASSOCIATE_FORK, "mpo_cred_label_associate_fork")                                                                  \
  OP(EXEC, "mpo_vnode_check_exec")                                                                                     \
  OP(SIGNATURE, "mpo_vnode_check_signature")                                                                           \
  OP(CHECK_LABEL_UPDATE, "mpo_cred_check_label_update_execve")                                                         \
  OP(LABEL_UPDATE, "mpo_cred_label_update_execve")                                                                     \
  OP(NOTIFY_EXEC_COMPLETE, "mpo_proc_notify_exec_complete")                                                            \
  OP(NOTIFY_EXIT, "mpo_proc_notify_exit")                                                                              \
  OP(DEBUG, "mpo_proc_check_debug")                                                                                    \
  OP(GET_TASK, "mpo_proc_check_get_task")                                                                              \
  OP(MMAP, "mpo_file_check_mmap")                                                                                      \
  OP(LIBRARY_VALIDATION, "mpo_file_check_library_validation")

enum kernel_process_policy {
#define KERNEL_PROCESS_POLICY_CONSTANT(constant, name) KERNEL_PROCESS_POLICY_##constant,
  KERNEL_PROCESS_POLICY_TABLE(KERNEL_PROCESS_POLICY_CONSTANT)
#undef KERNEL_PROCESS_POLICY_CONSTANT
      KERNEL_PROCESS_POLICIES
};

/* The name of a MAC operation. */
const char *kernel_process_policy_name(enum kernel_process_policy policy);

/* What the process table does. Results are errnos. Nothing here can be hooked: the functions that call it can. */
typedef struct kernel_process_operations {
  /* Asks the policies; arguments as in the operation's prototype of 10.13.6. */
  int32_t (*policy)(void *context, enum kernel_process_policy policy, const uint64_t *arguments, uint32_t count);
  /* KERNEL_P_L... bits of a process. */
  uint32_t (*flags)(void *context, kernel_proc *p);
  /* The user of a process, which may be executing something meanwhile. */
  uint32_t (*uid)(void *context, kernel_proc *p);
  /* EAGAIN when there are too many processes already, of all or of this user. */
  int32_t (*check_limits)(void *context, kernel_proc *parent);
  /* Makes the child: same credential, same files, same image. */
  int32_t (*cloneproc)(void *context, kernel_proc *parent, kernel_proc **child);
  /* What exec needs to know of a file, and a page of its data; *length is what was read. */
  void (*getattr)(void *context, kernel_vnode *vp, kernel_exec_attr *attr);
  void (*read)(void *context, kernel_vnode *vp, uint64_t offset, char *data, size_t room, size_t *length);
  /* Whether the image asks for dyld, which is returned and held; NULL when the file system has none. */
  kernel_vnode *(*dylinker)(void *context);
  /* Closes what is to be closed on exec; nobody is told. */
  void (*fdexec)(void *context, kernel_proc *p);
  /* The process becomes the image: name, arguments, credential, memory. */
  void (*become)(void *context, kernel_image_params *imgp);
  /* Lets a signal end the process, for a reason of the kernel's; it goes by proc_exit. */
  void (*kill)(void *context, kernel_proc *p, int32_t signal, uint32_t reason_namespace, uint32_t reason_code);
  /* Closes its files, gives its children to launchd, and leaves a zombie. */
  void (*fdfree)(void *context, kernel_proc *p);
  void (*reparent)(void *context, kernel_proc *p);
  void (*zombie)(void *context, kernel_proc *p);
  /* Lets one process trace another. */
  void (*attach)(void *context, kernel_proc *tracer, kernel_proc *traced);
  /* Puts a mapping into the address space of a process, and says where it is. */
  int32_t (*map)(void *context, kernel_proc *p, kernel_vnode *vp, uint64_t offset, uint64_t size, int32_t prot,
                 int32_t flags, uint64_t *address);
} kernel_process_operations;

/* The processes of a kernel. */
typedef struct kernel_processes {
  const kernel_process_operations *operations;
  void *context;
  uint32_t policies; /* bit 1 << kernel_process_policy: the kernel has the operation */
} kernel_processes;

/* Fork. The child is made last: until then nothing has changed. */
int32_t fork1(kernel_proc *parent, kernel_proc **childp, int32_t kind);

/* Exec. __mac_execve: 0 also when it was too late to fail, and then the caller does not live any more. The C library has
 * the name posix_spawn: kernel_posix_spawn forks, executes, and tells late errors, too. Strings and vnodes stay until
 * exec_cleanup. */
int32_t __mac_execve(kernel_proc *p, kernel_image_params *imgp);
int32_t kernel_posix_spawn(kernel_proc *parent, kernel_image_params *imgp, kernel_proc **childp);
void exec_cleanup(kernel_image_params *imgp);
int32_t exec_activate_image(kernel_image_params *imgp);
int32_t exec_check_permissions(kernel_image_params *imgp);
int32_t exec_mach_imgact(kernel_image_params *imgp);
int32_t exec_fat_imgact(kernel_image_params *imgp);
int32_t exec_shell_imgact(kernel_image_params *imgp);
int32_t exec_extract_strings(kernel_image_params *imgp);
int32_t load_machfile(kernel_image_params *imgp);
int32_t exec_handle_sugid(kernel_image_params *imgp);
int32_t check_for_signature(kernel_proc *p, kernel_image_params *imgp);

/* The end of a process. */
void proc_exit(kernel_proc *p);

/* Tracing: an errno, and a kern_return_t. */
int32_t cantrace(kernel_proc *cur_procp, const kernel_ucred *creds, kernel_proc *traced_procp, int32_t *errp);
int32_t ptrace_attach(kernel_proc *p, kernel_proc *target);
int32_t task_for_pid(kernel_proc *p, kernel_proc *target);

/* The MAC framework's entries: 0, or the errno that the policies come to. */
int32_t mac_proc_check_fork(kernel_proc *curp);
void mac_cred_label_associate_fork(const kernel_ucred *cred, kernel_proc *child);
int32_t mac_vnode_check_exec(const kernel_vfs_context *ctx, kernel_vnode *vp, kernel_image_params *imgp);
int32_t mac_vnode_check_signature(kernel_proc *p, kernel_vnode *vp, uint64_t offset);
int32_t mac_cred_check_label_update_execve(const kernel_vfs_context *ctx, kernel_image_params *imgp);
int32_t mac_cred_label_update_execve(const kernel_vfs_context *ctx, const kernel_ucred *new_cred,
                                     kernel_image_params *imgp);
void mac_proc_notify_exec_complete(kernel_proc *p);
void mac_proc_notify_exit(kernel_proc *p);
int32_t mac_proc_check_debug(kernel_proc *curp, kernel_proc *target);
int32_t mac_proc_check_get_task(const kernel_ucred *cred, kernel_proc *target);
#endif
