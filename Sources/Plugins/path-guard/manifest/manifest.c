/* SPDX-License-Identifier: Apache-2.0 */
#include <kemon/kemon.h>

KEMON_MANIFEST("{\"name\": \"path-guard\", \"version\": \"1.0.0\", \"abi\": 1, \"license\": \"Apache-2.0\","
               " \"description\": \"Denies opens and execs below configured paths\","
               " \"extensions\": [\"kemon.config/1\"]}");
