/* SPDX-License-Identifier: Apache-2.0
 * Functions for the ways that a hooked call can take: with much and little to keep, inside others, interrupted by a
 * signal handler, on stacks that threads change. */
#ifndef CALL_PATHS_H
#define CALL_PATHS_H

/* The functions below that are hooked. */
typedef enum call_path { PATH_ADD, PATH_OTHER, PATH_HALF, PATH_MIXED, PATH_DEEP, PATH_YIELDS } call_path;
const void *path_address(call_path path);

long path_add(long a, long b, long c, long d, long e, long f);
long path_other(long a, long b, long c, long d, long e, long f);
double path_half(double a);
/* A double and an integer are on the stack; each counts as often as its place says. */
double path_mixed(double a, long b, double c, long d, double e, long f, double g, long h, double i, long j, double k,
                  long l, double m, double n, double o, long p);
double path_mixed_of_ones(void); /* 136 */
long path_deep(long n);          /* n, by n calls inside each other */

/* Calls path_add again and again while signals arrive whose handler calls it, too, until `signals` have come. Returns how
 * many results were wrong; `*calls` is the number of all calls. */
long path_interrupted(long signals, long *calls);

/* Three coroutines, each inside path_yields on a stack of its own, that end in the order in which they began. Returns the
 * sum of their results: 6. */
long path_coroutines(void);

/* The same for one that ends on another thread than it began on: 1. */
long path_migrates(void);
#endif
