/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes what is about to happen: files are created with mode MODE at most, connections to port 80 go to 8080. Writes a
 * line when it is asked again. NAME, MODE and PRIORITY can be given.
 */
#include <kemon/kemon.h>
#include <stdio.h>

#ifndef NAME
#define NAME "modifying"
#endif
#ifndef MODE
#define MODE 0600
#endif
#ifndef PRIORITY
#define PRIORITY 0
#endif

KEMON_MANIFEST("{\"name\": \"" NAME "\", \"version\": \"1.0.0\", \"abi\": 1, \"extensions\": [\"kemon.modify/1\"],"
               " \"capabilities\": [\"modify:file.create.mode\", \"modify:net.connect.destination_port\"]}");

static const kemon_host *host;
static const kemon_ext_modify *modify;
static const kemon_ext_output *output;
static kemon_field mode, flags, port, path;

static void say(const char *what, int64_t number) {
  char line[128];
  snprintf(line, sizeof line, "%s %s %lld", NAME, what, (long long)number);
  output->write(host, line, strlen(line));
}

static kemon_status on_create(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx;
  uint64_t asked = kemon_field_u64(event, &mode);
  if (event->flags & KEMON_EV_REVALIDATE) {
    say("again with mode", (int64_t)asked);
    return KEMON_OK;
  }
  if (asked == 0) {
    say("flags", modify->set_u64(host, verdict, &flags, 0));
    say("path", modify->set_u64(host, verdict, &path, 0));
    say("port", modify->set_u64(host, verdict, &port, 70000));
    modify->set_u64(host, verdict, &mode, 1);
    say("second", modify->set_u64(host, verdict, &port, 1));
    return KEMON_OK;
  }
  return modify->set_u64(host, verdict, &mode, asked & MODE);
}

static kemon_status on_connect(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx;
  return kemon_field_u64(event, &port) == 80 ? modify->set_u64(host, verdict, &port, 8080) : KEMON_OK;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c;
  host = h;
  modify = (const kemon_ext_modify *)h->ext(h, KEMON_EXT_MODIFY);
  output = (const kemon_ext_output *)h->ext(h, KEMON_EXT_OUTPUT);
  const kemon_ext_schema *schema = (const kemon_ext_schema *)h->ext(h, KEMON_EXT_SCHEMA);
  mode.size = flags.size = port.size = path.size = sizeof mode;
  schema->field(h, KEMON_KIND_FILE_CREATE_PRE, "mode", &mode);
  schema->field(h, KEMON_KIND_FILE_CREATE_PRE, "flags", &flags);
  schema->field(h, KEMON_KIND_FILE_CREATE_PRE, "path", &path);
  schema->field(h, KEMON_KIND_NET_CONNECT_PRE, "destination_port", &port);
  kemon_handler create = {.size = sizeof create, .name = "create", .kind = "file.create", .fn = on_create,
                          .phase = KEMON_PHASE_PRE, .priority = PRIORITY};
  kemon_handler connect = {.size = sizeof connect, .name = "connect", .kind = "net.connect", .fn = on_connect,
                           .phase = KEMON_PHASE_PRE};
  return h->on(h, &create, NULL, e) == KEMON_OK && h->on(h, &connect, NULL, e) == KEMON_OK ? &mode : NULL;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
