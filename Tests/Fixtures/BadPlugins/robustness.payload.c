/* SPDX-License-Identifier: Apache-2.0
 * Does not ask whether the payload is there. */
#define ON_OPEN sink += ((const kemon_file *)kemon_payload(event, sizeof(kemon_file)))->ino
#include "bad.h"
