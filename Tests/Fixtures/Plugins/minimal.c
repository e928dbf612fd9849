/* SPDX-License-Identifier: Apache-2.0
 *
 * The smallest plugin, made good or bad by definitions:
 *   MANIFEST="{...}"   the manifest's text; without it there is none
 *   MANIFEST_2="{...}" a second one
 *   WITHOUT_ENTRY      no entry is exported
 *   WHY="..."          the entry refuses the host with this reason
 *   TABLE_ABI=n        what the entry's table claims
 *   TABLE_SIZE=n
 *   WITHOUT_CREATE     create is NULL
 *   TEXT_RELOCATION    the code holds an address
 *   UNDEFINED          a function that nobody has is called
 *   HANDLERS=n         so many handlers are asked for
 *   MARK="file"        a constructor makes this file when the library is loaded
 */
#include <kemon/kemon.h>

#ifdef MANIFEST
KEMON_MANIFEST(MANIFEST);
#endif
#ifdef MANIFEST_2
__attribute__((used, section(KEMON_MANIFEST_SECTION))) static const char second_manifest[] = MANIFEST_2;
#endif
#ifndef TABLE_ABI
#define TABLE_ABI KEMON_ABI
#endif
#ifndef TABLE_SIZE
#define TABLE_SIZE sizeof(kemon_plugin)
#endif
#ifdef TEXT_RELOCATION
__asm__(".text\n.quad kemon_plugin_v1\n");
#endif
#ifdef UNDEFINED
extern void nobody_has_this(void);
#endif

#ifdef MARK
#include <stdio.h>
__attribute__((constructor)) static void constructor(void) { fclose(fopen(MARK, "w")); }
#endif

#ifdef HANDLERS
static kemon_status nothing(void *ctx, const kemon_event *event, kemon_verdict *verdict) {
  (void)ctx, (void)event, (void)verdict;
  return KEMON_OK;
}
#endif

static int instances;

#ifndef WITHOUT_CREATE
static void *create(const kemon_host *h, const kemon_create *c, kemon_error *e) {
  (void)h, (void)c, (void)e;
  instances++;
#ifdef UNDEFINED
  nobody_has_this();
#endif
#ifdef HANDLERS
  for (int i = 0; i < HANDLERS; i++) {
    char name[] = {'h', (char)('a' + i / 26), (char)('a' + i % 26), 0};
    kemon_handler handler = {.size = sizeof handler, .name = name, .kind = "*", .fn = nothing};
    if (h->on(h, &handler, NULL, e) != KEMON_OK)
      return NULL;
  }
#endif
  char line[] = "instance 0 of this copy";
  line[9] = (char)('0' + instances);
  h->log(h, KEMON_LOG_INFO, line, sizeof line - 1);
  return &instances;
}
#endif

#ifndef WITHOUT_ENTRY
const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {
#ifdef WHY
  strcpy(hello->why, WHY);
  return NULL;
#else
  (void)hello;
  static const kemon_plugin plugin = {
      .size = TABLE_SIZE,
      .abi = TABLE_ABI,
#ifndef WITHOUT_CREATE
      .create = create,
#endif
  };
  return &plugin;
#endif
}
#endif
