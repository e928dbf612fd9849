/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/host.h: what the host offers to a plugin: registering handlers, the log, the clock, and extensions by id.
 */
#ifndef KEMON_HOST_H
#define KEMON_HOST_H

#include "event.h"
#include "verdict.h"

KEMON_C_BEGIN

/* Called for each event that the handler registered for. The event and the verdict live until it returns. Return
 * KEMON_OK, or a negative status, which counts as a fault and leaves the vote to on_fault.
 * [lane], or [observer] with KEMON_H_OBSERVE; then the verdict is ignored. */
typedef kemon_status (*kemon_handler_fn)(void *ctx, const kemon_event *event, kemon_verdict *verdict);

/* A function of any type: whoever calls it knows its type from elsewhere. */
typedef void (*kemon_any_fn)(void);

#define KEMON_H_OBSERVE 0x1 /* read published events on the observer thread; delays nobody, decides nothing */
#define KEMON_H_SHADOW 0x2  /* vote, but only for the record: tier OBSERVE */

#define KEMON_FAIL_ABSTAIN 0 /* what a handler that returned a negative status is taken to have voted */
#define KEMON_FAIL_ALLOW 1
#define KEMON_FAIL_DENY 2

/* What of an event an answer depends on. */
#define KEMON_CACHE_PID 0x1      /* the process: pid and start_ns */
#define KEMON_CACHE_PPID 0x2     /* ppid */
#define KEMON_CACHE_UID 0x4      /* uid */
#define KEMON_CACHE_GID 0x8      /* gid */
#define KEMON_CACHE_EXE 0x10     /* exe */
#define KEMON_CACHE_COMM 0x20    /* comm */
#define KEMON_CACHE_PATH 0x40    /* the path or both paths of the payload */
#define KEMON_CACHE_FILE 0x80    /* dev and ino of the payload */
#define KEMON_CACHE_PAYLOAD 0x100 /* the whole payload, with its strings */

/* A handler to register. The host copies the struct and its strings; ctx must live until `off` or destroy returns. */
typedef struct kemon_handler {
  uint32_t size;
  uint32_t flags;   /* KEMON_H_* */
  const char *name; /* unique in the plugin */
  /* "file.open", or a pattern with * at its end: "file.*", "*". "mac.vnode_check_open", "mac.vnode_*": mac.op of these
   * operations. */
  const char *kind;
  /* NULL, or a condition on the event, checked by the host before the handler is called. Conditions: path, exe, comm,
   * kind, op (name of a MAC operation) with == != ^= (starts with); pid, ppid, uid, gid with == != or in (1, 2); joined by and, or, not, ( ).
   *   "path ^= '/etc/' and not uid in (0, 501)"
   * path is true when either path of a two-path event matches, for ^= of whole bytes. */
  const char *filter;
  kemon_handler_fn fn;
  void *ctx;
  uint16_t phase;    /* KEMON_PHASE_*; 0 = every phase of the kinds */
  uint16_t on_fault; /* KEMON_FAIL_* */
  int32_t priority;  /* lower is called first; it never turns a denial into something else */
  /* KEMON_CACHE_*: what the answer depends on beside the kind and the filter; 0 = ask every time. The host may then
   * remember an answer that is flagged KEMON_V_CACHEABLE and give it for equal events without calling: only what all
   * handlers of the kind agree to, until a handler comes or goes, or cache_ttl_ns (0 = for ever) is over. */
  uint32_t cache_fields, reserved;
  uint64_t cache_ttl_ns;
  /* How long a call may take, at most an hour, and what the handler is taken to have voted when it takes longer. 0 = no
   * limit, unless the operator sets one. A handler with a limit runs on a thread of the host's that stands in for the one
   * on which the event happens, with a copy of the event. When the time is over the host goes on without the answer; the
   * call goes on, too, and what it answers then is thrown away and counted. Not with KEMON_H_OBSERVE. */
  uint64_t timeout_ns;
  uint16_t on_timeout; /* KEMON_FAIL_* */
  uint16_t reserved2[3];
  /* A handler with named arguments instead of fn, see typed.h: NULL, or the signature and the function. */
  const char *signature;
  kemon_any_fn typed;
} kemon_handler;

#define KEMON_LOG_ERROR 1
#define KEMON_LOG_WARN 2
#define KEMON_LOG_INFO 3
#define KEMON_LOG_DEBUG 4

#define KEMON_MODE_RUN 1    /* events happen now */
#define KEMON_MODE_REPLAY 2 /* events come from a recording: the clock is virtual, nothing can be blocked */
#define KEMON_MODE_BENCH 3  /* as REPLAY, many rounds; output is counted and thrown away */

/* The host's table. Given to create, unchanged and valid until destroy has returned. */
typedef struct kemon_host kemon_host;
struct kemon_host {
  uint32_t size;
  uint32_t abi; /* what the host speaks with this plugin: the lower of both minors */
  uint32_t mode;
  uint32_t plugin_id; /* from 1, unique in this run */
  const char *name, *version; /* of the host; live as long as the host table */
  void *priv;                 /* the host's own */
  /* A table by its id, e.g. KEMON_EXT_OUTPUT, or NULL. Lives as long as the plugin. [any] */
  const void *(*ext)(const kemon_host *h, const char *id);
  /* A line for the operator, on standard error. The bytes are copied and need no NUL. Bounded: never blocks, drops and
   * counts instead. [any] */
  void (*log)(const kemon_host *h, int32_t level, const char *utf8, size_t len);
  /* Registers a handler; `token` may be NULL. Fails with line and column for a bad filter. [control] */
  kemon_status (*on)(const kemon_host *h, const kemon_handler *handler, uint64_t *token, kemon_error *e);
  /* Removes a handler; returns after the last running call has left. Not from inside a handler. [control] */
  kemon_status (*off)(const kemon_host *h, uint64_t token);
  /* The event clock, nanoseconds since 1970; during replay the time of the current event. [any] */
  uint64_t (*now)(const kemon_host *h);
};

/* Data for standard output, which belongs to the host: lines of different plugins never mix. */
#define KEMON_EXT_OUTPUT "kemon.output/1"
typedef struct kemon_ext_output {
  uint32_t size, reserved;
  /* Appends whole lines; the bytes are copied. From a lane a full queue drops and returns KEMON_E_FULL (counted); an
   * observer waits. [any] */
  kemon_status (*write)(const kemon_host *h, const void *bytes, size_t len);
} kemon_ext_output;

/* The plugin's configuration, read by path: "deny[0].id"; "" is the whole of it. For those who would rather not parse
 * JSON. Paths are read during the call only. */
#define KEMON_EXT_CONFIG "kemon.config/1"
typedef struct kemon_ext_config {
  uint32_t size, reserved;
  /* Number of elements of an array or members of an object; -1 when the path is neither. [control] */
  int64_t (*count)(const kemon_host *h, const char *path);
  /* The text at path, NUL-terminated, owned by the host until destroy returns; NULL when absent or not text. [control] */
  const char *(*string)(const kemon_host *h, const char *path);
  /* KEMON_E_NOTFOUND when absent, KEMON_E_INVALID when it is something else; then *out is unchanged. [control] */
  kemon_status (*integer)(const kemon_host *h, const char *path, int64_t *out);
  kemon_status (*boolean)(const kemon_host *h, const char *path, int32_t *out);
} kemon_ext_config;

/* Names behind the ids of votes. */
#define KEMON_EXT_NAMES "kemon.names/1"
typedef struct kemon_ext_names {
  uint32_t size, reserved;
  const char *(*plugin)(const kemon_host *h, uint32_t plugin_id);   /* "" when unknown; static storage [any] */
  const char *(*handler)(const kemon_host *h, uint32_t handler_id); /* "" when unknown; static storage [any] */
} kemon_ext_names;

KEMON_C_END
#endif
