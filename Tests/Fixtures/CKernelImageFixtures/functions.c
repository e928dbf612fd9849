/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_image_fixtures.h"
#include "kernel_image_function.h"

KERNEL_FUNCTION(int32_t, fixture_plain, (int32_t first, int32_t second)) { return first + 2 * second; }

KERNEL_FUNCTION_PATCHABLE(int32_t, fixture_patchable, (int32_t first, int32_t second)) { return first + 2 * second; }

KERNEL_FUNCTION(int32_t, fixture_constant, (void)) { return 7; }

int32_t fixture_ask_constant(void) { return fixture_constant(); }
