/* SPDX-License-Identifier: Apache-2.0
 * Who may be inside the dynamic part of the policy list: any number of threads that ask, or one that changes it. */
#ifndef MAC_GATE_H
#define MAC_GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct mac_gate {
  pthread_mutex_t writers; /* held by the one that changes the list */
  pthread_mutex_t lock;    /* for waiting */
  pthread_cond_t changed;
  atomic_uint busy;
  _Atomic(const void *) owner; /* names the thread that has it to itself, or wants to */
} mac_gate;

void mac_gate_init(mac_gate *gate);
void mac_gate_destroy(mac_gate *gate);

/* Waits while another thread has the gate to itself. */
void mac_gate_enter(mac_gate *gate);
void mac_gate_leave(mac_gate *gate);

/* Waits until nobody is inside. False when the thread itself is, or has it already: it would wait for itself. */
bool mac_gate_grab(mac_gate *gate);
void mac_gate_release(mac_gate *gate);
#endif
