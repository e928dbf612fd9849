/* SPDX-License-Identifier: Apache-2.0
 * Takes an extension for granted that its manifest does not name. */
#define CREATE sink += ((const kemon_ext_output *)h->ext(h, KEMON_EXT_OUTPUT))->size
#include "bad.h"
