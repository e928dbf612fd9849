/* SPDX-License-Identifier: Apache-2.0
 * Socket filters of tests, written as a kext would write them: each tells what it is asked, and answers what it is told. */
#ifndef SOCKET_PROBE_H
#define SOCKET_PROBE_H

#include "kernel_network.h"

/* The callbacks of a filter, in the order of the kernel's struct. */
enum {
  PROBE_UNREGISTERED,
  PROBE_ATTACH,
  PROBE_DETACH,
  PROBE_NOTIFY,
  PROBE_GETPEERNAME,
  PROBE_GETSOCKNAME,
  PROBE_DATA_IN,
  PROBE_DATA_OUT,
  PROBE_CONNECT_IN,
  PROBE_CONNECT_OUT,
  PROBE_BIND,
  PROBE_SETOPTION,
  PROBE_GETOPTION,
  PROBE_LISTEN,
  PROBE_IOCTL,
  PROBE_ACCEPT,
  PROBE_CALLBACKS
};

/* Is told every call, on any thread: which callback, of which socket, with which event; returns the answer. A packet that
 * comes with EJUSTRETURN is the probe's, and freed by it. */
typedef int32_t (*socket_probe_call)(void *context, int32_t callback, kernel_socket *so, int32_t event);

#define SOCKET_PROBES 32

/* Takes one of SOCKET_PROBES filters; -1 when all are taken. */
int32_t socket_probe_take(socket_probe_call call, void *context);
/* Registers it with the calling thread's network. */
int32_t socket_probe_register(int32_t probe, uint32_t handle, int32_t flags, int32_t domain, int32_t type);
/* Packets that it kept, and gives back here. */
int32_t socket_probe_free_owned(int32_t probe);
/* Gives it back; it must be unregistered. */
void socket_probe_give(int32_t probe);
#endif
