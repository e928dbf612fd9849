/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon_testing.h: a host for unit tests in C and C++, without kemon-host. Compile kemon_testing.c with your tests.
 *
 *   kemon_fake_host *host = kemon_fake_host_new("{\"reason\": \"no\"}");
 *   assert(kemon_fake_host_run(host, kemon_plugin_v1) == KEMON_OK);
 *   kemon_fake_event *event = kemon_fake_event_new("file.open", KEMON_PHASE_PRE);
 *   kemon_fake_event_text(event, "path", "/etc/shadow");
 *   kemon_fake_event_subject(event)->uid = 501;
 *   kemon_verdict verdict = kemon_fake_host_ask(host, event);
 *   assert(verdict.action == KEMON_DENY && verdict.err == EACCES);
 *   kemon_fake_event_free(event);
 *   kemon_fake_host_free(host);
 *
 * It evaluates no filters: a handler is asked about every event of its kind. It reads no signatures: a handler that has
 * one instead of a function that gets the event is kept and not called; the test calls its `typed`. One thread at a
 * time; only log and output may be called by the plugin's own threads, too.
 */
#ifndef KEMON_TESTING_H
#define KEMON_TESTING_H

#include <kemon/kemon.h>

KEMON_C_BEGIN

typedef struct kemon_fake_host kemon_fake_host;
typedef struct kemon_fake_event kemon_fake_event;

/* Makes a host that gives a plugin this configuration, JSON, an object. NULL: out of memory. */
kemon_fake_host *kemon_fake_host_new(const char *config_json);

/* Stops and destroys the plugin, and frees the host with all that it returned. */
void kemon_fake_host_free(kemon_fake_host *host);

/* Asks the entry, creates and starts the plugin. Not KEMON_OK: kemon_fake_host_error says why. */
kemon_status kemon_fake_host_run(kemon_fake_host *host, kemon_entry_fn entry);

/* The reason of the last failure, or "". */
const char *kemon_fake_host_error(const kemon_fake_host *host);

/* Calls the handlers of the event's kind that vote and returns the strongest answer; a handler that returns a fault
 * counts as its on_fault says. */
kemon_verdict kemon_fake_host_ask(kemon_fake_host *host, kemon_fake_event *event);

/* Calls the handlers that observe, and returns how many there are. */
size_t kemon_fake_host_show(kemon_fake_host *host, kemon_fake_event *event);

/* The handler of a name as the plugin registered it, or NULL. */
const kemon_handler *kemon_fake_host_handler(const kemon_fake_host *host, const char *name);

/* What the plugin has logged and written so far, one line each. */
const char *kemon_fake_host_log(const kemon_fake_host *host);
const char *kemon_fake_host_output(const kemon_fake_host *host);

/* What `now` answers. */
void kemon_fake_host_set_time(kemon_fake_host *host, uint64_t ns);

/* An event of a kind, its payload zero. NULL: there is no such kind and phase, or no memory. */
kemon_fake_event *kemon_fake_event_new(const char *kind, uint16_t phase);
void kemon_fake_event_free(kemon_fake_event *event);

/* Sets a text of the payload by its name, or the subject's "exe", "comm" and "parent". KEMON_E_NOTFOUND: no such
 * field. KEMON_E_FULL: a record has 64 KiB. */
kemon_status kemon_fake_event_text(kemon_fake_event *event, const char *field, const char *text);
kemon_status kemon_fake_event_bytes(kemon_fake_event *event, const char *field, const void *bytes, uint32_t count);

/* Sets a number of the payload by its name. KEMON_E_NOTFOUND: no such field. */
kemon_status kemon_fake_event_number(kemon_fake_event *event, const char *field, int64_t value);

/* Who acts. */
kemon_subject *kemon_fake_event_subject(kemon_fake_event *event);

/* The record, for all else; valid until the event changes. */
kemon_event *kemon_fake_event_record(kemon_fake_event *event);

KEMON_C_END
#endif
