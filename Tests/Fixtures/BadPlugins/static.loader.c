/* SPDX-License-Identifier: Apache-2.0
 * Built with -z execstack. */
#include "bad.h"
