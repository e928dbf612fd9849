/* SPDX-License-Identifier: Apache-2.0 */
#include <kemon/kemon.h>

KEMON_MANIFEST("{\"name\": \"typed-swift\", \"version\": \"1.0.0\", \"abi\": 1}");
