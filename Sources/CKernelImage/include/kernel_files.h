/* SPDX-License-Identifier: Apache-2.0
 * The kernel's file layer: from the system calls down to the operations of a file system, which the model brings.
 *
 * Functions have the names, the arguments and the order of checks of XNU's (10.13.6); text from user space comes with
 * its length. What happens to files happens in kernel_file_operations, below every function that can be hooked. Numbers
 * are Darwin's. */
#ifndef KERNEL_FILES_H
#define KERNEL_FILES_H

#include "kernel_kauth.h"

/* A path with its NUL, and a name without one. */
#define KERNEL_MAXPATHLEN 1024
#define KERNEL_NAME_MAX 255
#define KERNEL_MAXSYMLINKS 32

/* Open flags inside the kernel: those of fcntl.h, with FREAD and FWRITE for the access mode. */
#define KERNEL_FREAD 0x1
#define KERNEL_FWRITE 0x2
#define KERNEL_O_APPEND 0x8
#define KERNEL_O_NOFOLLOW 0x100
#define KERNEL_O_CREAT 0x200
#define KERNEL_O_TRUNC 0x400
#define KERNEL_O_EXCL 0x800
#define KERNEL_O_DIRECTORY 0x100000
#define KERNEL_O_CLOEXEC 0x1000000

/* Flags of renamex_np. */
#define KERNEL_RENAME_SWAP 0x2
#define KERNEL_RENAME_EXCL 0x4

/* Types of vnodes. */
#define KERNEL_VREG 1
#define KERNEL_VDIR 2
#define KERNEL_VBLK 3
#define KERNEL_VCHR 4
#define KERNEL_VLNK 5
#define KERNEL_VSOCK 6
#define KERNEL_VFIFO 7

struct kernel_filesystem;
struct kernel_nameidata;

/* A file, a directory, a device. Whoever is given one by a file system holds it until vnode_put. */
typedef struct kernel_vnode {
  const struct kernel_filesystem *v_mount;
  void *v_data;      /* the file system's own object */
  uint64_t v_fileid; /* inode number */
  uint32_t v_fsid;   /* device number */
  uint32_t v_type;
  uint64_t v_rights; /* the rights cache; by the functions below only */
  /* The first of its names, kept by the file system; NULL for the root, and for what has been removed. */
  const struct kernel_vnode *v_parent;
  const char *v_name; /* no NUL behind it */
  uint32_t v_namelen;
} kernel_vnode;

/* Who acts. */
typedef struct kernel_vfs_context {
  const struct kernel_filesystem *vc_filesystem;
  const kernel_ucred *vc_ucred;
  void *vc_proc; /* the model's process */
} kernel_vfs_context;

/* kernel_componentname.cn_flags: the path ended in "." or "..", the name is that of the directory it led to. */
#define KERNEL_CN_DOT 0x1

/* A name in a directory. */
typedef struct kernel_componentname {
  const char *cn_nameptr; /* no NUL behind it */
  uint32_t cn_namelen;
  uint32_t cn_flags;
} kernel_componentname;

/* What a new file is to be. */
typedef struct kernel_vnode_attr {
  uint32_t va_type;
  uint16_t va_mode;
  const char *va_target; /* of a symbolic link */
  size_t va_targetlen;
} kernel_vnode_attr;

/* What namei does at the end of the path. */
#define KERNEL_NAMEI_FOLLOW 0x1 /* a symbolic link at the end is followed */
#define KERNEL_NAMEI_PARENT 0x2 /* the last name need not be there: then ni_vp is NULL */

/* A path being looked up. */
typedef struct kernel_nameidata {
  const kernel_vfs_context *ni_context;
  const char *ni_path;
  size_t ni_pathlen;
  uint32_t ni_flags;
  uint32_t ni_needs_directory; /* set by namei: the path ends in a slash */
  kernel_vnode *ni_dvp, *ni_vp; /* set by namei, held until nameidone; ni_dvp is NULL for the root itself */
  kernel_componentname ni_cnd;  /* set by namei: the last name, in ni_name */
  char ni_name[KERNEL_NAME_MAX + 1];
} kernel_nameidata;

/* The MAC operations that the file layer asks for: OP(constant, "name"). */
#define KERNEL_FILE_POLICY_TABLE(OP)                                                                                   \
  OP(LOOKUP_PREFLIGHT, "mpo_vnode_check_lookup_preflight")                                                             \
  OP(LOOKUP, "mpo_vnode_check_lookup")                                                                                 \
  OP(OPEN, "mpo_vnode_check_open")                                                                                     \
  OP(CREATE, "mpo_vnode_check_create")                                                                                 \
  OP(RENAME_FROM, "mpo_vnode_check_rename_from")                                                                       \
  OP(RENAME_TO, "mpo_vnode_check_rename_to")                                                                           \
  OP(RENAME, "mpo_vnode_check_rename")                                                                                 \
  OP(UNLINK, "mpo_vnode_check_unlink")                                                                                 \
  OP(LINK, "mpo_vnode_check_link")                                                                                     \
  OP(EXCHANGEDATA, "mpo_vnode_check_exchangedata")                                                                     \
  OP(SETMODE, "mpo_vnode_check_setmode")                                                                               \
  OP(STAT, "mpo_vnode_check_stat")                                                                                     \
  OP(NOTIFY_OPEN, "mpo_vnode_notify_open")                                                                             \
  OP(NOTIFY_RENAME, "mpo_vnode_notify_rename")                                                                         \
  OP(NOTIFY_LINK, "mpo_vnode_notify_link")

enum kernel_file_policy {
#define KERNEL_FILE_POLICY_CONSTANT(constant, name) KERNEL_FILE_POLICY_##constant,
  KERNEL_FILE_POLICY_TABLE(KERNEL_FILE_POLICY_CONSTANT)
#undef KERNEL_FILE_POLICY_CONSTANT
      KERNEL_FILE_POLICIES
};

/* The name of a MAC operation. */
const char *kernel_file_policy_name(enum kernel_file_policy policy);

/* What a file system does. Results are errnos. Nothing here can be hooked: the functions that call it can. */
typedef struct kernel_file_operations {
  /* Looks ni_path up; see kernel_nameidata. */
  int32_t (*lookup)(void *context, kernel_nameidata *nd);
  /* Takes back one hold of a vnode. */
  void (*put)(void *context, kernel_vnode *vp);
  /* Writes the path with its NUL; *length is what fits, then what was written. ENOENT for a removed file. */
  int32_t (*getpath)(void *context, kernel_vnode *vp, char *path, int32_t *length);
  /* Asks the policies; arguments as in the operation's prototype. */
  int32_t (*policy)(void *context, enum kernel_file_policy policy, const uint64_t *arguments, uint32_t count);
  /* Makes a file, a directory or a symbolic link; EEXIST when the name is taken by now. */
  int32_t (*create)(void *context, kernel_vnode *dvp, kernel_vnode **vpp, const kernel_componentname *cnp,
                    const kernel_vnode_attr *vap, const kernel_vfs_context *ctx);
  /* Opens a device or a file. */
  int32_t (*open)(void *context, kernel_vnode *vp, int32_t fmode, const kernel_vfs_context *ctx);
  /* Takes a name away; a directory must be empty. ENOENT when the name is another file's by now. */
  int32_t (*remove)(void *context, kernel_vnode *dvp, kernel_vnode *vp, const kernel_componentname *cnp);
  int32_t (*rename)(void *context, kernel_vnode *fdvp, kernel_vnode *fvp, const kernel_componentname *fcnp,
                    kernel_vnode *tdvp, kernel_vnode *tvp, const kernel_componentname *tcnp, uint32_t flags);
  int32_t (*link)(void *context, kernel_vnode *vp, kernel_vnode *tdvp, const kernel_componentname *cnp);
  int32_t (*exchange)(void *context, kernel_vnode *fvp, kernel_vnode *tvp);
  int32_t (*setmode)(void *context, kernel_vnode *vp, uint16_t mode);
  /* Whether `vp` lies in or is `directory`: a directory must not be moved into itself. */
  int32_t (*contains)(void *context, kernel_vnode *directory, kernel_vnode *vp);
} kernel_file_operations;

/* A file system with its kernel. */
typedef struct kernel_filesystem {
  const kernel_file_operations *operations;
  void *context;
  kernel_kauth *kauth;
  uint32_t policies;   /* bit 1 << kernel_file_policy: the kernel has policies and the operation */
  int32_t will_rename; /* whether the kernel tells of renames before they happen: since 10.14.1 */
} kernel_filesystem;

/* Names and vnodes. */
int32_t namei(kernel_nameidata *nd);
void nameidone(kernel_nameidata *nd);
void vnode_put(kernel_vnode *vp);
int32_t vn_getpath(kernel_vnode *vp, char *path, int32_t *length);

/* Authorization of vnodes: KAUTH scope, rights cache. EACCES, or the errno that a listener or the file system gave. */
int32_t vnode_authorize(kernel_vnode *vp, kernel_vnode *dvp, uint32_t action, const kernel_vfs_context *ctx);
/* Whether the cache knows that the credential has these rights. */
int vnode_cache_is_authorized(const kernel_vnode *vp, const kernel_vfs_context *ctx, uint32_t action);
/* The state of the cache, to be given to vnode_cache_authorized_action: rights that were taken away meanwhile stay away. */
uint64_t kernel_vnode_rights(const kernel_vnode *vp);
void vnode_cache_authorized_action(kernel_vnode *vp, const kernel_ucred *credential, uint32_t action, uint64_t before);
void vnode_uncache_authorized_action(kernel_vnode *vp);

/* Open: pre-checks, VNOPs, notifications. *fmodep may be narrowed on the way. On success ni_vp is open. */
int32_t vn_open_auth(kernel_nameidata *nd, int32_t *fmodep, kernel_vnode_attr *vap);
int32_t vn_authorize_open_existing(kernel_vnode *vp, kernel_componentname *cnp, int32_t fmode,
                                   const kernel_vfs_context *ctx, void *reserved);
int32_t vn_authorize_create(kernel_vnode *dvp, kernel_componentname *cnp, kernel_vnode_attr *vap,
                            const kernel_vfs_context *ctx, void *reserved);
int32_t VNOP_CREATE(kernel_vnode *dvp, kernel_vnode **vpp, kernel_componentname *cnp, kernel_vnode_attr *vap,
                    const kernel_vfs_context *ctx);
int32_t VNOP_OPEN(kernel_vnode *vp, int32_t fmode, const kernel_vfs_context *ctx);

/* A descriptor that is closed by its process; `is_written` when it was written through. Not called at exit. */
int32_t close_internal(const kernel_vfs_context *ctx, int32_t fd, kernel_vnode *vp, int32_t is_written);

/* The other system calls. */
int32_t renameat_internal(const kernel_vfs_context *ctx, const char *from, size_t fromlen, const char *to, size_t tolen,
                          uint32_t flags);
int32_t vn_authorize_renamex(kernel_vnode *fdvp, kernel_vnode *fvp, kernel_componentname *fcnp, kernel_vnode *tdvp,
                             kernel_vnode *tvp, kernel_componentname *tcnp, const kernel_vfs_context *ctx,
                             uint32_t flags, void *reserved);
int32_t VNOP_RENAME(kernel_vnode *fdvp, kernel_vnode *fvp, kernel_componentname *fcnp, kernel_vnode *tdvp,
                    kernel_vnode *tvp, kernel_componentname *tcnp, const kernel_vfs_context *ctx, uint32_t flags);
int32_t unlinkat_internal(const kernel_vfs_context *ctx, const char *path, size_t length);
int32_t vn_authorize_unlink(kernel_vnode *dvp, kernel_vnode *vp, kernel_componentname *cnp,
                            const kernel_vfs_context *ctx, void *reserved);
int32_t VNOP_REMOVE(kernel_vnode *dvp, kernel_vnode *vp, kernel_componentname *cnp, int32_t flags,
                    const kernel_vfs_context *ctx);
int32_t rmdirat_internal(const kernel_vfs_context *ctx, const char *path, size_t length);
int32_t vn_authorize_rmdir(kernel_vnode *dvp, kernel_vnode *vp, kernel_componentname *cnp,
                           const kernel_vfs_context *ctx, void *reserved);
int32_t VNOP_RMDIR(kernel_vnode *dvp, kernel_vnode *vp, kernel_componentname *cnp, const kernel_vfs_context *ctx);
int32_t linkat_internal(const kernel_vfs_context *ctx, const char *target, size_t targetlen, const char *link,
                        size_t linklen);
int32_t VNOP_LINK(kernel_vnode *vp, kernel_vnode *tdvp, kernel_componentname *cnp, const kernel_vfs_context *ctx);
int32_t exchangedata(const kernel_vfs_context *ctx, const char *first, size_t firstlen, const char *second,
                     size_t secondlen);
int32_t VNOP_EXCHANGE(kernel_vnode *fvp, kernel_vnode *tvp, int32_t options, const kernel_vfs_context *ctx);
int32_t mkdir1at(const kernel_vfs_context *ctx, const char *path, size_t length, kernel_vnode_attr *vap);
int32_t VNOP_MKDIR(kernel_vnode *dvp, kernel_vnode **vpp, kernel_componentname *cnp, kernel_vnode_attr *vap,
                   const kernel_vfs_context *ctx);
int32_t VNOP_SYMLINK(kernel_vnode *dvp, kernel_vnode **vpp, kernel_componentname *cnp, kernel_vnode_attr *vap,
                     const kernel_vfs_context *ctx);
int32_t symlinkat_internal(const kernel_vfs_context *ctx, kernel_vnode_attr *vap, const char *path, size_t length);
int32_t chmod_vnode(kernel_vnode *vp, uint16_t mode, const kernel_vfs_context *ctx);
int32_t vn_stat(kernel_vnode *vp, const kernel_vfs_context *ctx);

/* The MAC framework's entries: 0, or the errno that the policies come to. */
int32_t mac_vnode_check_lookup_preflight(const kernel_vfs_context *ctx, kernel_vnode *dvp, const char *path,
                                         size_t pathlen);
int32_t mac_vnode_check_lookup(const kernel_vfs_context *ctx, kernel_vnode *dvp, kernel_componentname *cnp);
int32_t mac_vnode_check_open(const kernel_vfs_context *ctx, kernel_vnode *vp, int32_t acc_mode);
int32_t mac_vnode_check_create(const kernel_vfs_context *ctx, kernel_vnode *dvp, kernel_componentname *cnp,
                               kernel_vnode_attr *vap);
int32_t mac_vnode_check_rename(const kernel_vfs_context *ctx, kernel_vnode *dvp, kernel_vnode *vp,
                               kernel_componentname *cnp, kernel_vnode *tdvp, kernel_vnode *tvp,
                               kernel_componentname *tcnp);
int32_t mac_vnode_check_unlink(const kernel_vfs_context *ctx, kernel_vnode *dvp, kernel_vnode *vp,
                               kernel_componentname *cnp);
int32_t mac_vnode_check_link(const kernel_vfs_context *ctx, kernel_vnode *dvp, kernel_vnode *vp,
                             kernel_componentname *cnp);
int32_t mac_vnode_check_exchangedata(const kernel_vfs_context *ctx, kernel_vnode *v1, kernel_vnode *v2);
int32_t mac_vnode_check_setmode(const kernel_vfs_context *ctx, kernel_vnode *vp, uint16_t mode);
int32_t mac_vnode_check_stat(const kernel_vfs_context *ctx, kernel_vnode *vp);
void mac_vnode_notify_open(const kernel_vfs_context *ctx, kernel_vnode *vp, int32_t acc_mode);
void mac_vnode_notify_rename(const kernel_vfs_context *ctx, kernel_vnode *vp, kernel_vnode *dvp,
                             kernel_componentname *cnp);
void mac_vnode_notify_link(const kernel_vfs_context *ctx, kernel_vnode *vp, kernel_vnode *dvp,
                           kernel_componentname *cnp);
#endif
