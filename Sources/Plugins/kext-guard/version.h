/* SPDX-License-Identifier: Apache-2.0
 *
 * Versions of kernel extensions: "0.9.2", "1.2b3", "10.4.11fc2".
 */
#ifndef KEXT_GUARD_VERSION_H
#define KEXT_GUARD_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#define VERSION_PARTS 8

/* Numbers between dots, then an optional stage of development with a number of its own. Missing numbers are 0. */
typedef struct version {
  uint64_t part[VERSION_PARTS];
  uint64_t stage_number;
  int stage; /* d, a, b, f or fc or rc, and last the release, which has no letter */
} version;

/* Reads a whole text as a version; false when it is none. */
bool version_parse(const char *text, version *out);

/* Negative, zero or positive as a is older than, the same as or newer than b. A beta is older than its release. */
int version_compare(const version *a, const version *b);

#endif
