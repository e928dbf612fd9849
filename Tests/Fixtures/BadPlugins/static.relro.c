/* SPDX-License-Identifier: Apache-2.0
 * Built with -z norelro. */
#include "bad.h"
