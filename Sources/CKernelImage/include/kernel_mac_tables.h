/* SPDX-License-Identifier: Apache-2.0
 * The dispatch tables of MAC policies (struct mac_policy_ops) in every published kernel. */
#ifndef KERNEL_MAC_TABLES_H
#define KERNEL_MAC_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* A release of the kernel. */
typedef struct kernel_mac_release {
  const char *xnu;    /* as in "4570.71.2" */
  const char *macos;  /* one system or several with commas, as in "macOS 10.13.6" */
  const char *darwin; /* as in "17.7.0"; "" when it is not known */
  uint16_t version;   /* MAC_POLICY_OPS_VERSION; 0 when there is none */
  uint16_t table;     /* index into kernel_mac_tables */
  const char *abi;    /* the same for equal tables only */
} kernel_mac_release;
/* Oldest first. Static storage, as for the others. */
const kernel_mac_release *kernel_mac_releases(size_t *count);

/* A table that differs from the one before. */
typedef struct kernel_mac_table {
  const char *name; /* the first release that has it, as XNU calls it */
  uint32_t slots;
} kernel_mac_table;
/* Oldest first. */
const kernel_mac_table *kernel_mac_tables(size_t *count);

/* A slot in the tables first ... last. */
typedef struct kernel_mac_slot {
  uint16_t slot, first, last;
  const char *operation;  /* mpo_... */
  const char *result;     /* a type of C */
  const char *parameters; /* "type name; type name"; "" when there are none */
} kernel_mac_slot;
/* By slot, then by table. */
const kernel_mac_slot *kernel_mac_slots(size_t *count);

#endif
