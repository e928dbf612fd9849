/* SPDX-License-Identifier: Apache-2.0
 * Takes a signal that is the host's. */
#define CREATE signal(SIGTERM, SIG_IGN)
#include "bad.h"
