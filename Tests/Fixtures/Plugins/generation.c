/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin that is reloaded: it allows every file.open and says its generation as the reason code, and checks as an
 * observer that it sees every event once. Its state is what it has seen. Definitions:
 *   VERSION="1.0.1"    makes another file of it
 *   NAME="other"
 *   WITHOUT_VOTER, WITHOUT_OBSERVER, WITHOUT_SAVE
 *   SECOND             has a second voter, "second"
 *   FAULT_AT=n         the voter fails at its n-th call in this generation
 *   OBSERVER_FAULT_AT=n
 *   FAIL_CREATE, FAIL_START, FAIL_SAVE
 */
#include <kemon/kemon.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef NAME
#define NAME "generation"
#endif
#ifndef FAULT_AT
#define FAULT_AT 0
#endif
#ifndef OBSERVER_FAULT_AT
#define OBSERVER_FAULT_AT 0
#endif

KEMON_MANIFEST("{\"name\": \"" NAME "\", \"version\": \"" VERSION "\", \"abi\": 1}");

/* What a generation leaves to the next. */
typedef struct saved {
  uint64_t generation, last_seq, seen, wrong;
} saved;

typedef struct generation {
  const kemon_host *host;
  saved state;
  atomic_uint calls, observed;
  int32_t code; /* configuration: added to the generation in votes */
} generation;

static kemon_status vote(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  generation *self = (generation *)ctx;
  (void)event;
  if (atomic_fetch_add(&self->calls, 1) + 1 == FAULT_AT)
    return KEMON_E_FAILED;
  return kemon_say(verdict, KEMON_ALLOW, 0, (uint32_t)self->state.generation + (uint32_t)self->code, "");
}

static kemon_status observe(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  generation *self = (generation *)ctx;
  (void)verdict;
  if (self->state.last_seq != 0 && event->seq != self->state.last_seq + 1)
    self->state.wrong++;
  self->state.last_seq = event->seq;
  self->state.seen++;
  return atomic_fetch_add(&self->observed, 1) + 1 == OBSERVER_FAULT_AT ? KEMON_E_FAILED : KEMON_OK;
}

static int take_code(generation *self, kemon_error *error) {
  const kemon_ext_config *config = (const kemon_ext_config *)self->host->ext(self->host, KEMON_EXT_CONFIG);
  int64_t code = 0;
  if (config->integer(self->host, "code", &code) == KEMON_E_INVALID || code < 0) {
    kemon_fail(error, KEMON_E_INVALID, "code: must be a number");
    return 0;
  }
  self->code = (int32_t)code;
  return 1;
}

static void *create(const kemon_host *host, const kemon_create *given, kemon_error *error) {
#ifdef FAIL_CREATE
  kemon_fail(error, KEMON_E_FAILED, "not today");
  return NULL;
#endif
  generation *self = calloc(1, sizeof *self);
  self->host = host;
  if (given->state != NULL && given->state_len == sizeof self->state)
    memcpy(&self->state, given->state, sizeof self->state);
  self->state.generation++;
  if (!take_code(self, error)) {
    free(self);
    return NULL;
  }
  kemon_handler handler = {.size = sizeof handler, .name = "vote", .kind = "file.open", .fn = vote, .ctx = self,
                           .phase = KEMON_PHASE_PRE};
#ifndef WITHOUT_VOTER
  host->on(host, &handler, NULL, error);
#endif
#ifdef SECOND
  handler.name = "second";
  host->on(host, &handler, NULL, error);
#endif
  handler.name = "observe";
  handler.kind = "*";
  handler.phase = 0;
  handler.fn = observe;
  handler.flags = KEMON_H_OBSERVE;
#ifndef WITHOUT_OBSERVER
  host->on(host, &handler, NULL, error);
#endif
  return self;
}

static kemon_status start(void *self, kemon_error *error) {
  (void)self;
#ifdef FAIL_START
  return kemon_fail(error, KEMON_E_FAILED, "cannot start");
#endif
  (void)error;
  return KEMON_OK;
}

static void stop(void *ctx) {
  generation *self = (generation *)ctx;
  const kemon_ext_output *output = (const kemon_ext_output *)self->host->ext(self->host, KEMON_EXT_OUTPUT);
  char line[128];
  int length = snprintf(line, sizeof line, VERSION " generation %llu saw %llu wrong %llu",
                        (unsigned long long)self->state.generation, (unsigned long long)self->state.seen,
                        (unsigned long long)self->state.wrong);
  output->write(self->host, line, (size_t)length);
}

static void destroy(void *self) { free(self); }

static kemon_status reconfigure(void *self, const char *json, uint32_t len, kemon_error *error) {
  (void)json, (void)len;
  return take_code((generation *)self, error) ? KEMON_OK : KEMON_E_INVALID;
}

static kemon_status save(void *ctx, kemon_sink *to) {
  generation *self = (generation *)ctx;
#ifdef FAIL_SAVE
  return KEMON_E_FAILED;
#endif
  return to->write(to, &self->state, sizeof self->state);
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create, .start = start,
                                      .stop = stop, .destroy = destroy, .reconfigure = reconfigure,
#ifndef WITHOUT_SAVE
                                      .save = save,
#endif
  };
  return &plugin;
}
