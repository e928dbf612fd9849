/* SPDX-License-Identifier: Apache-2.0 */
#include <kemon/kemon.h>

KEMON_MANIFEST("{\"name\": \"minimal-swift\", \"version\": \"1.0.0\", \"abi\": 1,"
               " \"extensions\": [\"kemon.config/1\"]}");
