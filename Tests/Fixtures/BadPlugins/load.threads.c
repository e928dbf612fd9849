/* SPDX-License-Identifier: Apache-2.0
 * Starts a thread while it is loaded. */
#include "bad.h"

static void *wait_for_ever(void *arg) {
  for (;;)
    pause();
  return arg;
}

__attribute__((constructor)) static void begin(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, wait_for_ever, NULL);
}
