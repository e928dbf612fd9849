/* SPDX-License-Identifier: Apache-2.0
 * kemon/hook.h for prototypes that come at run time, used from C. */
#ifndef DYNAMIC_HOOKS_H
#define DYNAMIC_HOOKS_H

/* Each returns NULL when all is right, and what is not otherwise. */
const char *dynamic_attach_fails_from_c(void);
const char *dynamic_replace_fails_from_c(void);
const char *dynamic_errors_fail_from_c(void);

#endif
