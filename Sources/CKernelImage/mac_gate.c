/* SPDX-License-Identifier: Apache-2.0 */
#include "mac_gate.h"

/* How many gates the thread is inside of; its address names the thread. */
static _Thread_local unsigned depth;

void mac_gate_init(mac_gate *gate) {
  pthread_mutex_init(&gate->writers, NULL);
  pthread_mutex_init(&gate->lock, NULL);
  pthread_cond_init(&gate->changed, NULL);
  atomic_init(&gate->busy, 0);
  atomic_init(&gate->owner, NULL);
}

void mac_gate_destroy(mac_gate *gate) {
  pthread_cond_destroy(&gate->changed);
  pthread_mutex_destroy(&gate->lock);
  pthread_mutex_destroy(&gate->writers);
}

static bool may_enter(mac_gate *gate) {
  const void *owner = atomic_load(&gate->owner);
  return owner == NULL || owner == &depth;
}

static void wake(mac_gate *gate) {
  pthread_mutex_lock(&gate->lock);
  pthread_cond_broadcast(&gate->changed);
  pthread_mutex_unlock(&gate->lock);
}

void mac_gate_enter(mac_gate *gate) {
  for (;;) {
    /* Both sides announce themselves before they look at the other, so that one of them sees the other. */
    atomic_fetch_add(&gate->busy, 1);
    if (depth > 0 || may_enter(gate))
      break;
    atomic_fetch_sub(&gate->busy, 1);
    wake(gate);
    pthread_mutex_lock(&gate->lock);
    while (!may_enter(gate))
      pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
  }
  depth += 1;
}

void mac_gate_leave(mac_gate *gate) {
  depth -= 1;
  if (atomic_fetch_sub(&gate->busy, 1) == 1 && atomic_load(&gate->owner) != NULL)
    wake(gate);
}

bool mac_gate_grab(mac_gate *gate) {
  if (depth > 0 || atomic_load(&gate->owner) == &depth)
    return false;
  pthread_mutex_lock(&gate->writers);
  atomic_store(&gate->owner, &depth);
  pthread_mutex_lock(&gate->lock);
  while (atomic_load(&gate->busy) != 0)
    pthread_cond_wait(&gate->changed, &gate->lock);
  pthread_mutex_unlock(&gate->lock);
  return true;
}

void mac_gate_release(mac_gate *gate) {
  atomic_store(&gate->owner, NULL);
  wake(gate);
  pthread_mutex_unlock(&gate->writers);
}
