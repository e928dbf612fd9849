/* SPDX-License-Identifier: Apache-2.0
 * Logs when it has been destroyed. */
#define DESTROY \
  pthread_t thread; \
  pthread_create(&thread, NULL, say, (void *)(uintptr_t)host); \
  pthread_detach(thread)
#include <kemon/kemon.h>
#include <unistd.h>

static void *say(void *host) {
  const kemon_host *h = (const kemon_host *)host;
  usleep(2000);
  h->log(h, KEMON_LOG_INFO, "bye", 3);
  return NULL;
}
#include "bad.h"
