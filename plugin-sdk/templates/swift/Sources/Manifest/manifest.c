/* SPDX-License-Identifier: Apache-2.0 */
/* The host reads this section before any code runs; Swift cannot put a text into one. */
#include <kemon/kemon.h>

KEMON_MANIFEST("{\"name\": \"my-guard\", \"version\": \"0.1.0\", \"abi\": 1, \"description\": \"Only root opens secrets.\"}");
