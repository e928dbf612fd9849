/* SPDX-License-Identifier: Apache-2.0
 * Opens a file for each instance and closes none. */
#define CREATE sink += (uint64_t)open("/dev/null", O_RDONLY | O_CLOEXEC)
#include "bad.h"
