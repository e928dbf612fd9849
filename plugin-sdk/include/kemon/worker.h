/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/worker.h: how a host speaks with a worker, the process of its own that a plugin runs in.
 *
 * A library needs none of this: the host's own worker loads it, and it cannot tell the difference. This header is for
 * programs that are workers themselves, in whatever language: docs/plugins/worker-protocol.md has it in words.
 *
 * A worker finds these descriptors open, and no others:
 *   0  nothing            3  control: frames both ways, a stream socket
 *   1  lines of output    4  the host's page: kemon_worker_page, to be mapped read only
 *   2  lines of the log   5  the plugin: a sealed file in memory, the bytes that the host has checked
 *                         6  events to observe, one way
 *                         7… lanes: events to answer, as many as the hello says
 *
 * A line of the log may begin with "<N>", the severities of syslog: 3 error, 4 warning, 6 information, 7 debugging.
 */
#ifndef KEMON_WORKER_H
#define KEMON_WORKER_H

#include "event.h"
#include "verdict.h"

KEMON_C_BEGIN

#define KEMON_WORKER_PROTOCOL 1u

#define KEMON_WORKER_CONTROL 3
#define KEMON_WORKER_PAGE 4
#define KEMON_WORKER_PLUGIN 5
#define KEMON_WORKER_EVENTS 6
#define KEMON_WORKER_LANES 7

/* A frame of the control socket: this, then `length` bytes. JSON is UTF-8, one object. */
typedef struct kemon_worker_frame {
  uint32_t length; /* at most KEMON_WORKER_FRAME_LIMIT */
  uint32_t type;   /* KEMON_WORKER_HELLO, … */
} kemon_worker_frame;

#define KEMON_WORKER_FRAME_LIMIT (8u << 20)

/* From the host. */
#define KEMON_WORKER_STATE 1u /* bytes: what save of the process before wrote; before the hello, if at all */
#define KEMON_WORKER_HELLO 2u /* JSON: protocol, mode, plugin_id, name, config, lanes, transport, grants, kernel, schema */
#define KEMON_WORKER_START 3u /* JSON: events flow when it is answered */
#define KEMON_WORKER_SAVE 4u  /* JSON: write what the next process shall know, while events flow */
#define KEMON_WORKER_STOP 5u  /* JSON: no more events; answer what is left, read what is left, end */

/* From the worker. */
#define KEMON_WORKER_CREATED 101u /* JSON: handlers, concurrency */
#define KEMON_WORKER_STARTED 102u /* JSON: handlers, all of them again */
#define KEMON_WORKER_SAVED 103u   /* bytes: the state */
#define KEMON_WORKER_STOPPED 104u /* JSON: misbehaviour; the last frame */
#define KEMON_WORKER_FAILED 105u  /* JSON: status, text, line, column: instead of any of the others */

/* What stands in front of an event, in a lane and among the events to observe. `size` says where the event begins;
 * between the header and the event of a lane lies the verdict, blank, for the worker to write to. */
typedef struct kemon_worker_request {
  uint32_t size;
  uint32_t handler; /* the worker's own id for it */
  uint64_t number;  /* over a socket: of the request, from 1. In a ring: 0, and the worker writes 1 when it begins */
} kemon_worker_request;

/* Where the verdict of a lane's request lies. */
#define KEMON_WORKER_VERDICT 16

/* Transport "ring": each of 6, 7, … is a ring (kemon/ring.h), and the answer in its slot is one of these. */
#define KEMON_WORKER_BLANK 0u   /* the verdict is as it was: no opinion */
#define KEMON_WORKER_WRITTEN 1u /* the verdict has been written */
#define KEMON_WORKER_FAULT 2u   /* the handler failed: its on_fault is the vote */

/* Transport "socket": each is a SOCK_SEQPACKET socket, a request a packet, and the answer to it this. */
typedef struct kemon_worker_answer {
  uint64_t number; /* of the request */
  uint32_t value;  /* KEMON_WORKER_BLANK, … */
  uint32_t reserved;
  kemon_verdict verdict;
} kemon_worker_answer;

/* What the host tells all workers without sending it. Names lie at fixed places, NUL-terminated, empty while unknown:
 * plugin p at plugins_off + p * name_bytes, handler h at handlers_off + h * name_bytes. */
typedef struct kemon_worker_page {
  uint32_t size, version;
  uint64_t time_ns; /* the event clock while it is virtual; 0: it is the system's */
  uint32_t name_bytes, reserved;
  uint32_t plugins_off, plugins_count;
  uint32_t handlers_off, handlers_count;
} kemon_worker_page;

KEMON_C_END
#endif
