/* SPDX-License-Identifier: Apache-2.0
 * Asks for a concurrency that does not exist. */
#define CONCURRENCY 9
#include "bad.h"
