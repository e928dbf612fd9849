/* SPDX-License-Identifier: Apache-2.0
 * Answers with an action that does not exist. */
#define ON_OPEN verdict->action = 9
#include "bad.h"
