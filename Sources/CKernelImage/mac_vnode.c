/* SPDX-License-Identifier: Apache-2.0
 * What the file layer asks the MAC framework, with the arguments of the operations' prototypes; labels are NULL. */
#include "kernel_files.h"
#include "kernel_image_function.h"

const char *kernel_file_policy_name(enum kernel_file_policy policy) {
#define POLICY_NAME(constant, name) name,
  static const char *const names[] = {KERNEL_FILE_POLICY_TABLE(POLICY_NAME)};
#undef POLICY_NAME
  return names[policy];
}

#define ARGUMENT(value) ((uint64_t)(uintptr_t)(value))

static int32_t ask(const kernel_vfs_context *ctx, enum kernel_file_policy policy, const uint64_t *arguments,
                   uint32_t count) {
  const kernel_filesystem *filesystem = ctx->vc_filesystem;
  return filesystem->operations->policy(filesystem->context, policy, arguments, count);
}

/* Most kernels have no policies, and most releases not every operation: nothing is put together then. */
#define CHECK(ctx, constant, ...)                                                                                      \
  do {                                                                                                                 \
    if ((ctx)->vc_filesystem->policies & (1u << KERNEL_FILE_POLICY_##constant)) {                                      \
      const uint64_t arguments[] = {ARGUMENT((ctx)->vc_ucred), __VA_ARGS__};                                           \
      return ask(ctx, KERNEL_FILE_POLICY_##constant, arguments, sizeof arguments / sizeof arguments[0]);               \
    }                                                                                                                  \
    return 0;                                                                                                          \
  } while (0)

#define NOTIFY(ctx, constant, ...)                                                                                     \
  do {                                                                                                                 \
    if ((ctx)->vc_filesystem->policies & (1u << KERNEL_FILE_POLICY_##constant)) {                                      \
      const uint64_t arguments[] = {ARGUMENT((ctx)->vc_ucred), __VA_ARGS__};                                           \
      ask(ctx, KERNEL_FILE_POLICY_##constant, arguments, sizeof arguments / sizeof arguments[0]);                      \
    }                                                                                                                  \
  } while (0)

KERNEL_FUNCTION(int32_t, mac_vnode_check_lookup_preflight,
                (const kernel_vfs_context *ctx, kernel_vnode *dvp, const char *path, size_t pathlen)) {
  CHECK(ctx, LOOKUP_PREFLIGHT, ARGUMENT(dvp), 0, ARGUMENT(path), pathlen);
}

KERNEL_FUNCTION_PATCHABLE(int32_t, mac_vnode_check_lookup,
                          (const kernel_vfs_context *ctx, kernel_vnode *dvp, kernel_componentname *cnp)) {
  CHECK(ctx, LOOKUP, ARGUMENT(dvp), 0, ARGUMENT(cnp));
}

KERNEL_FUNCTION(int32_t, mac_vnode_check_open, (const kernel_vfs_context *ctx, kernel_vnode *vp, int32_t acc_mode)) {
  CHECK(ctx, OPEN, ARGUMENT(vp), 0, (uint64_t)acc_mode);
}

KERNEL_FUNCTION_PATCHABLE(int32_t, mac_vnode_check_create,
                          (const kernel_vfs_context *ctx, kernel_vnode *dvp, kernel_componentname *cnp,
                           kernel_vnode_attr *vap)) {
  CHECK(ctx, CREATE, ARGUMENT(dvp), 0, ARGUMENT(cnp), ARGUMENT(vap));
}

static int32_t check_rename_from(const kernel_vfs_context *ctx, kernel_vnode *dvp, kernel_vnode *vp,
                                 kernel_componentname *cnp) {
  CHECK(ctx, RENAME_FROM, ARGUMENT(dvp), 0, ARGUMENT(vp), 0, ARGUMENT(cnp));
}

static int32_t check_rename_to(const kernel_vfs_context *ctx, kernel_vnode *dvp, kernel_vnode *vp, int is_same,
                               kernel_componentname *cnp) {
  CHECK(ctx, RENAME_TO, ARGUMENT(dvp), 0, ARGUMENT(vp), 0, (uint64_t)is_same, ARGUMENT(cnp));
}

/* Three operations; the first that says no is the answer. */
KERNEL_FUNCTION(int32_t, mac_vnode_check_rename,
                (const kernel_vfs_context *ctx, kernel_vnode *dvp, kernel_vnode *vp, kernel_componentname *cnp,
                 kernel_vnode *tdvp, kernel_vnode *tvp, kernel_componentname *tcnp)) {
  int32_t error = check_rename_from(ctx, dvp, vp, cnp);
  if (error == 0)
    error = check_rename_to(ctx, tdvp, tvp, dvp == tdvp, tcnp);
  if (error)
    return error;
  CHECK(ctx, RENAME, ARGUMENT(dvp), 0, ARGUMENT(vp), 0, ARGUMENT(cnp), ARGUMENT(tdvp), 0, ARGUMENT(tvp), 0,
        ARGUMENT(tcnp));
}

KERNEL_FUNCTION_PATCHABLE(int32_t, mac_vnode_check_unlink,
                          (const kernel_vfs_context *ctx, kernel_vnode *dvp, kernel_vnode *vp,
                           kernel_componentname *cnp)) {
  CHECK(ctx, UNLINK, ARGUMENT(dvp), 0, ARGUMENT(vp), 0, ARGUMENT(cnp));
}

KERNEL_FUNCTION(int32_t, mac_vnode_check_link,
                (const kernel_vfs_context *ctx, kernel_vnode *dvp, kernel_vnode *vp, kernel_componentname *cnp)) {
  CHECK(ctx, LINK, ARGUMENT(dvp), 0, ARGUMENT(vp), 0, ARGUMENT(cnp));
}

KERNEL_FUNCTION_PATCHABLE(int32_t, mac_vnode_check_exchangedata,
                          (const kernel_vfs_context *ctx, kernel_vnode *v1, kernel_vnode *v2)) {
  CHECK(ctx, EXCHANGEDATA, ARGUMENT(v1), 0, ARGUMENT(v2), 0);
}

KERNEL_FUNCTION(int32_t, mac_vnode_check_setmode, (const kernel_vfs_context *ctx, kernel_vnode *vp, uint16_t mode)) {
  CHECK(ctx, SETMODE, ARGUMENT(vp), 0, mode);
}

/* The file's credential is the caller's: the model's descriptors belong to one process. */
KERNEL_FUNCTION_PATCHABLE(int32_t, mac_vnode_check_stat, (const kernel_vfs_context *ctx, kernel_vnode *vp)) {
  CHECK(ctx, STAT, 0, ARGUMENT(vp), 0);
}

KERNEL_FUNCTION(void, mac_vnode_notify_open, (const kernel_vfs_context *ctx, kernel_vnode *vp, int32_t acc_mode)) {
  NOTIFY(ctx, NOTIFY_OPEN, ARGUMENT(vp), 0, (uint64_t)acc_mode);
}

KERNEL_FUNCTION_PATCHABLE(void, mac_vnode_notify_rename,
                          (const kernel_vfs_context *ctx, kernel_vnode *vp, kernel_vnode *dvp,
                           kernel_componentname *cnp)) {
  NOTIFY(ctx, NOTIFY_RENAME, ARGUMENT(vp), 0, ARGUMENT(dvp), 0, ARGUMENT(cnp));
}

KERNEL_FUNCTION(void, mac_vnode_notify_link,
                (const kernel_vfs_context *ctx, kernel_vnode *vp, kernel_vnode *dvp, kernel_componentname *cnp)) {
  NOTIFY(ctx, NOTIFY_LINK, ARGUMENT(dvp), 0, ARGUMENT(vp), 0, ARGUMENT(cnp));
}
