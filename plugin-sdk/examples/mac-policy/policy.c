/* SPDX-License-Identifier: Apache-2.0
 * A MAC policy as a kext has it: it lets nobody open a file for writing, and counts who tried. */
#include "mac_policy.h"
#include <errno.h>

#define FWRITE 0x2

int policy_refused;

static int check_open(kauth_cred_t cred, struct vnode *vp, struct label *label, int acc_mode) {
  (void)cred, (void)vp, (void)label;
  if ((acc_mode & FWRITE) == 0)
    return 0;
  policy_refused += 1;
  return EACCES; /* one number on both systems */
}

static struct mac_policy_ops ops = {.mpo_vnode_check_open = check_open};

static struct mac_policy_conf conf = {
    .mpc_name = "read_only",
    .mpc_fullname = "Nobody writes",
    .mpc_ops = &ops,
    .mpc_loadtime_flags = MPC_LOADTIME_FLAG_UNLOADOK,
};

static mac_policy_handle_t handle;

int kext_start(void *kmod, void *data);
int kext_stop(void *kmod, void *data);

int kext_start(void *kmod, void *data) {
  (void)kmod;
  return mac_policy_register(&conf, &handle, data);
}

int kext_stop(void *kmod, void *data) {
  (void)kmod, (void)data;
  return mac_policy_unregister(handle);
}
