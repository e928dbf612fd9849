/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the service "scale", rightly and wrongly, and calls it.
 */
#include <kemon/kemon.h>
#include <stdio.h>

KEMON_MANIFEST("{\"name\": \"service-user\", \"version\": \"1.0.0\", \"abi\": 1, \"after\": [\"service-provider\"]}");

static const kemon_host *host;
static const kemon_ext_typed *typed;

static void say(const char *line) {
  const kemon_ext_output *output = (const kemon_ext_output *)host->ext(host, KEMON_EXT_OUTPUT);
  output->write(host, line, strlen(line));
}

static const kemon_service *attempt(const char *what, const char *name, const char *signature) {
  kemon_error e = {.size = sizeof e};
  const kemon_service *service = NULL;
  kemon_status status = typed->find(host, name, signature, &service, &e);
  char line[512];
  snprintf(line, sizeof line, "%s: %d %u:%u %s", what, status, e.line, e.column, e.text);
  say(line);
  return service;
}

static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)c, (void)e;
  host = h;
  typed = (const kemon_ext_typed *)h->ext(h, KEMON_EXT_TYPED);
  char line[128];
  double value = 2.5, factor = 3, result = 0;
  int32_t more = -1;
  const int32_t *pointer = &more;

  const kemon_service *scale = attempt("scale", "scale", "value:d factor:d -> d");
  kemon_status status = typed->call(h, scale, &result, (void *[]){&value, &factor});
  snprintf(line, sizeof line, "scaled: %d %g", status, result);
  say(line);

  status = typed->call(h, scale, &result, (void *[]){&value, NULL});
  int without = typed->call(h, scale, &result, NULL);
  snprintf(line, sizeof line, "missing: %d %d", status, without);
  say(line);

  const kemon_service *other = attempt("other order", "scale", "more:*i factor:d value:d -> d");
  status = typed->call(h, other, &result, (void *[]){(void *)&pointer, &factor, &value});
  snprintf(line, sizeof line, "ordered: %d %g", status, result);
  say(line);

  const kemon_service *optional = NULL;
  status = typed->find(h, "scale", "value:d factor:d newer?:z -> d", &optional, NULL);
  factor = 1;
  typed->call(h, optional, &result, (void *[]){&value, &factor, NULL});
  snprintf(line, sizeof line, "optional: %d %d %g", status, optional != NULL, result);
  say(line);

  attempt("misspelled", "scale", "value:d   fctor:d -> d");
  attempt("wrong type", "scale", "  value:f factor:d -> d");
  attempt("too few", "scale", "value:d -> d");
  attempt("wrong result", "scale", "value:d  factor:d   -> i");
  attempt("nobody", "scael", "-> d");
  attempt("words", "scale", "[value:d]");
  kemon_error error = {.size = sizeof error};
  status = typed->provide(h, "scale", "-> d", (kemon_any_fn)create, NULL, &error);
  snprintf(line, sizeof line, "taken: %d %u:%u %s", status, error.line, error.column, error.text);
  say(line);
  return &host;
}

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
  (void)hello;
  static const kemon_plugin plugin = {.size = sizeof plugin, .abi = KEMON_ABI, .create = create};
  return &plugin;
}
