/* SPDX-License-Identifier: Apache-2.0
 * Joins its thread in destroy, which is too late. */
#include <pthread.h>
#include <unistd.h>

static pthread_t thread;
static volatile int ends;
static void *work(void *arg) {
  while (!ends)
    usleep(1000);
  return arg;
}
#define START \
  ends = 0; \
  pthread_create(&thread, NULL, work, NULL)
#define DESTROY \
  ends = 1; \
  pthread_join(thread, NULL)
#include "bad.h"
