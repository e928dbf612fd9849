/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/plugin.h: what a plugin is: one exported function, one manifest.
 */
#ifndef KEMON_PLUGIN_H
#define KEMON_PLUGIN_H

#include "host.h"

KEMON_C_BEGIN

/* What create is given; filled in and owned by the host. Valid during create only, unless stated. */
typedef struct kemon_create {
  uint32_t size;
  uint32_t config_len;
  const char *config_json; /* the plugin's configuration, an object; "{}" when there is none; lives until destroy */
  const char *data_dir;    /* a folder of the plugin's own, or NULL when it was granted none; lives until destroy */
  const void *state;       /* what save of the generation before wrote, or NULL */
  uint64_t state_len;
  uint32_t state_version; /* "state" in the manifest of the generation that wrote it; 0 = it does not say */
  uint32_t reserved;
} kemon_create;

/* Where save writes; the host's. */
typedef struct kemon_sink kemon_sink;
struct kemon_sink {
  uint32_t size, reserved;
  void *priv; /* the host's own */
  /* Appends bytes, which are copied. KEMON_E_FULL: more than the host keeps. [control] */
  kemon_status (*write)(kemon_sink *sink, const void *bytes, uint64_t n);
};

/* How many of a plugin's handlers the host may be in at the same time. Events wait for their turn within the handler's
 * budget, 50 ms unless the plugin or the operator says another; behind a call that is late nobody waits. A handler that
 * makes an event happen that the plugin handles, too, would wait for itself: it times out. */
#define KEMON_CONC_FREE 0        /* any number, in any order */
#define KEMON_CONC_SERIAL 1      /* one */
#define KEMON_CONC_PER_SUBJECT 2 /* one for the events of each process */

/* Life of a plugin: create, start, events, stop, destroy. All of it is [control]. `self` is what create returned; it
 * belongs to the plugin and must live until destroy. Every `e` is the host's and valid during the call. The struct has
 * static storage in the plugin and never changes. */
typedef struct kemon_plugin {
  uint32_t size;
  uint32_t abi; /* KEMON_ABI of the headers that the plugin was built with */
  /* Reads the configuration and registers handlers. NULL = failed, with the reason in *e; the host then forgets every
   * handler that was registered. `h` lives until destroy returns. */
  void *(*create)(const kemon_host *h, const kemon_create *c, kemon_error *e);
  /* Optional. Events flow when it returns KEMON_OK. */
  kemon_status (*start)(void *self, kemon_error *e);
  /* Optional. No handler runs any more; own threads must have been joined when it returns. */
  void (*stop)(void *self);
  /* Optional. Frees self. The library itself stays mapped for the life of the process. */
  void (*destroy)(void *self);
  uint32_t concurrency; /* KEMON_CONC_* */
  uint32_t flags;       /* 0 */
  /* Optional. Takes another configuration while events flow: all of it, or none and an error. */
  kemon_status (*reconfigure)(void *self, const char *json, uint32_t len, kemon_error *e);
  /* Optional. Writes what the next generation of the plugin shall know; called before stop, while events still flow. */
  kemon_status (*save)(void *self, kemon_sink *to);
  /* Optional. What one of its reason codes means, for people; static storage, NULL when unknown. [any] */
  const char *(*explain)(void *self, uint32_t reason_code);
  /* Optional. A table of the plugin's own by its id, or NULL. */
  const void *(*ext)(void *self, const char *id);
} kemon_plugin;

/* What the host says before anything else. The struct and its strings are the host's, valid during the call. */
typedef struct kemon_hello {
  uint32_t size;
  uint32_t abi_min, abi_max; /* the host speaks all of these */
  uint32_t mode;             /* KEMON_MODE_* */
  const char *host_name, *host_version;
  char why[128]; /* out: the reason when the entry returns NULL */
} kemon_hello;

/* The one entry. The name carries the major, so that one file can serve hosts of two majors. It must be pure and
 * quick; the returned struct is static. NULL = this host is not served, with the reason in hello->why. [control] */
#define KEMON_ENTRY_SYMBOL "kemon_plugin_v1"
typedef const kemon_plugin *(*kemon_entry_fn)(kemon_hello *hello);
KEMON_EXPORT const kemon_plugin *kemon_plugin_v1(kemon_hello *hello);

/* Nonzero when the host speaks the major of these headers; otherwise says so in hello->why. An entry may be just
 *   return kemon_speaks(hello) ? &plugin : NULL; */
static inline int kemon_speaks(kemon_hello *hello) {
  static const char why[] = "the plugin speaks another major of the ABI than the host";
  if (hello->abi_min >> 16 <= KEMON_ABI_MAJOR && KEMON_ABI_MAJOR <= hello->abi_max >> 16)
    return 1;
  if (KEMON_HAS(hello, why))
    memcpy(hello->why, why, sizeof why);
  return 0;
}

/* The manifest: one JSON object in an ELF section of its own, read before any code of the file runs.
 *   name         required: lower case, digits and hyphens; unique in a host
 *   version      required: MAJOR.MINOR.PATCH
 *   abi          required: KEMON_ABI_MAJOR
 *   description, license
 *   needs        names of plugins that must be loaded first
 *   after        names of plugins to be loaded first if they are there
 *   extensions   ids of the host's extensions that the plugin cannot do without
 *   capabilities what it asks the operator for beside observing and voting: "fs.data", "net", "threads", ...
 *   isolation    "any" (it is as if it were not there), "worker": a process of its own, always, or "inproc": never
 *   state        the version of what save writes, from 1
 *   emits        names of its own kinds of events
 *   config       a JSON Schema: the host checks the configuration and fills in defaults before create
 * At file scope:  KEMON_MANIFEST("{\"name\": \"my-guard\", \"version\": \"1.0.0\", \"abi\": 1}"); */
#define KEMON_MANIFEST_SECTION ".kemon.manifest"
#define KEMON_MANIFEST(json)                                                                                           \
  KEMON_RETAIN __attribute__((used, section(KEMON_MANIFEST_SECTION))) const char kemon_manifest_text[] = json

/* Declared so that it has external linkage in C++ too, and exported, because nothing refers to it: a linker that
 * collects garbage (--gc-sections) throws away even a `used` variable unless others can see it. The host reads the
 * section, never the symbol. */
extern KEMON_EXPORT const char kemon_manifest_text[];

KEMON_C_END
#endif
