/* SPDX-License-Identifier: Apache-2.0
 * The MAC framework: the list of policies, registration, and the ways in which the kernel asks them. */
#ifndef KERNEL_MAC_H
#define KERNEL_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a policy registers, as XNU lays it out on 64-bit systems. */
typedef struct mac_policy_conf {
  const char *mpc_name;
  const char *mpc_fullname;
  const char **mpc_labelnames;
  uint32_t mpc_labelname_count;
  const void **mpc_ops; /* struct mac_policy_ops: a function or NULL in each slot */
  int32_t mpc_loadtime_flags;
  int32_t *mpc_field_off;
  int32_t mpc_runtime_flags;
  struct mac_policy_conf *mpc_list;
  void *mpc_data;
} mac_policy_conf;

#define MPC_LOADTIME_FLAG_NOTLATE 0x1
#define MPC_LOADTIME_FLAG_UNLOADOK 0x2
#define MPC_LOADTIME_FLAG_LABELMBUFS 0x4
#define MPC_LOADTIME_BASE_POLICY 0x8
#define MPC_RUNTIME_FLAG_REGISTERED 0x1

struct mac_policy_list_element {
  mac_policy_conf *mpc;
};

/* The kernel's list of policies: mac_policy_list. */
typedef struct mac_policy_list {
  uint32_t numloaded;
  uint32_t max;
  uint32_t maxindex;
  uint32_t staticmax;
  uint32_t chunks;
  uint32_t freehint;
  struct mac_policy_list_element *entries;
} mac_policy_list;

/* Darwin's numbers of the errors that are met here. */
#define KERNEL_MAC_EPERM 1
#define KERNEL_MAC_ENOMEM 12
#define KERNEL_MAC_EBUSY 16
#define KERNEL_MAC_EEXIST 17
#define KERNEL_MAC_EINVAL 22

/* What the kernel would have ended with a panic, or never: the call did nothing and returned EINVAL. */
#define KERNEL_MAC_OK 0
#define KERNEL_MAC_NO_KERNEL 1       /* the calling thread is in no kernel */
#define KERNEL_MAC_NO_NAME 2         /* no short name */
#define KERNEL_MAC_NO_FULL_NAME 3    /* no name for people */
#define KERNEL_MAC_NO_OPS 4          /* no table of operations */
#define KERNEL_MAC_TOO_MANY_LABELS 5 /* more label names than the kernel takes */
#define KERNEL_MAC_NO_HANDLE 6       /* nowhere to write the handle to */
#define KERNEL_MAC_BAD_HANDLE 7      /* a handle that no policy has */
#define KERNEL_MAC_SELF_WAIT 8       /* the thread would wait for itself: it is inside a policy */

#define KERNEL_MAC_LABEL_NAMES 4

/* How the answers of policies are combined. */
#define KERNEL_MAC_CHECK 0      /* all are asked, the error that comes first in mac_error_select wins */
#define KERNEL_MAC_GRANT 1      /* all are asked, 0 of one is enough, else EPERM */
#define KERNEL_MAC_PERFORM 2    /* all are told, there is no answer */
#define KERNEL_MAC_FIRST_TRUE 3 /* asked until one answers other than 0: 1, else 0 */
#define KERNEL_MAC_GREATEST 4   /* all are asked, the greatest answer counts, 0 at least */

/* What a rule says before anybody was asked. */
int32_t kernel_mac_begin(int32_t rule);
/* What it says after one more answer; *goes_on becomes false when nobody else is asked. */
int32_t kernel_mac_combine(int32_t rule, int32_t so_far, int32_t answer, bool *goes_on);
/* Of two errors (Darwin numbers) the one that MAC_CHECK reports; `newer` when neither has precedence. */
int32_t kernel_mac_error_select(int32_t newer, int32_t older);

/* Arguments of an operation, as words of 64 bits: more than any published operation has. */
#define KERNEL_MAC_WORDS 16

typedef struct kernel_mac_options {
  uint32_t chunk;                 /* by how many entries the list grows */
  uint32_t label_slots;           /* how many policies can have labels, at most 32 */
  uint32_t init, initbsd, destroy; /* slots of mpo_policy_init, mpo_policy_initbsd and mpo_policy_destroy */
  void *context;
  /* A line of the kernel's log. Called without any lock. */
  void (*log)(void *context, const char *line);
  /* Calls a function whose prototype has structs by value; plain ones are called without help. */
  int32_t (*call)(void *context, uint32_t slot, const void *function, const uint64_t words[KERNEL_MAC_WORDS]);
} kernel_mac_options;

/* The framework of one kernel. */
typedef struct kernel_mac kernel_mac;

/* NULL without memory. Destroy it when nobody is inside any more. */
kernel_mac *kernel_mac_create(const kernel_mac_options *options);
void kernel_mac_destroy(kernel_mac *mac);

/* A new start of the machine: no policy is there. No other thread is in this kernel. */
void kernel_mac_restart(kernel_mac *mac);

/* Whether the system has booted, as it has in the beginning: policies that register are late then. Nothing is logged
 * while it boots. */
void kernel_mac_set_late(kernel_mac *mac, bool is_late);
bool kernel_mac_is_late(const kernel_mac *mac);

/* Says which kernel the calling thread is in, and returns in which it was. */
kernel_mac *kernel_mac_enter(kernel_mac *mac);
kernel_mac *kernel_mac_current(void);

/* Why the thread's last registration or unregistration was refused (KERNEL_MAC_...); forgotten by asking. */
int32_t kernel_mac_take_refusal(void);

/* The list as it is. What it points to may change unless the caller is inside kernel_mac_exclusively. */
const mac_policy_list *kernel_mac_list(const kernel_mac *mac);

/* Calls the body when no dynamic policy is inside an operation and none registers. Returns false, and does nothing,
 * when the thread would wait for itself. */
bool kernel_mac_exclusively(kernel_mac *mac, void (*body)(void *context), void *context);

/* Lets calls of a policy that arrive from now on find another table. */
void kernel_mac_set_ops(mac_policy_conf *mpc, const void **ops);

/* Whether no policy is there. */
bool kernel_mac_is_empty(const kernel_mac *mac);

/* Asks every policy that has a function in the slot, in the order of their handles. `is_plain`: no struct is passed by
 * value, each argument is a word. */
int32_t kernel_mac_ask(kernel_mac *mac, uint32_t slot, bool is_plain, int32_t rule,
                       const uint64_t words[KERNEL_MAC_WORDS]);

/* The file of the library of this process that an address is in, with the offset there; NULL when it is in none. The
 * text lives as long as the library is loaded. */
const char *kernel_mac_library(const void *address, uint64_t *offset);

/* The kernel's own functions, which policies call and Kemon hooks. Exported, so that policies that are loaded find them.
 * The handle is the place in the list. */
#pragma GCC visibility push(default)
int32_t mac_policy_register(mac_policy_conf *mpc, uint32_t *handlep, void *xd);
int32_t mac_policy_unregister(uint32_t handle);
#pragma GCC visibility pop
#endif
