/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/schema.h: extension kemon.schema/1: kinds and fields by their names at run time, kinds of a plugin's own, and
 * events of these kinds.
 */
#ifndef KEMON_SCHEMA_H
#define KEMON_SCHEMA_H

#include "host.h"

KEMON_C_BEGIN

/* kemon_field.type, as in the tables of payloads.h */
#define KEMON_FIELD_U16 1
#define KEMON_FIELD_U32 2
#define KEMON_FIELD_U64 3
#define KEMON_FIELD_I32 4
#define KEMON_FIELD_I64 5
#define KEMON_FIELD_ADDR 6
#define KEMON_FIELD_STR 7
#define KEMON_FIELD_LIST 8
#define KEMON_FIELD_BYTES 9

#define KEMON_FIELD_MODIFIABLE 0x1 /* kemon_field.flags: a handler may change it before the operation, see modify.h */

/* Where a field lies: looked up once, good for every event of its kind as long as the host runs. The caller sets size. */
typedef struct kemon_field {
  uint32_t size;
  uint16_t kind;
  uint16_t type; /* KEMON_FIELD_* */
  uint32_t offset, width; /* in the payload, in bytes */
  uint32_t index; /* its number among the fields of the kind, from 0 */
  uint32_t flags;
} kemon_field;

/* The value of one field of an event to emit; the host copies the bytes. */
typedef struct kemon_value {
  uint64_t number;   /* integers; negative ones as two's complement */
  const void *bytes; /* str, list, bytes; NULL = absent */
  uint64_t len;
} kemon_value;

static inline kemon_value kemon_number(uint64_t number) {
  kemon_value value = {number, NULL, 0};
  return value;
}

static inline kemon_value kemon_text(const char *text) {
  kemon_value value = {0, text, text == NULL ? 0 : strlen(text)};
  return value;
}

static inline kemon_value kemon_bytes(const void *bytes, size_t len) {
  kemon_value value = {0, bytes, len};
  return value;
}

#define KEMON_EXT_SCHEMA "kemon.schema/1"
typedef struct kemon_ext_schema {
  uint32_t size, reserved;
  /* The number of a kind by its name and phase; KEMON_E_NOTFOUND. [any] */
  kemon_status (*kind)(const kemon_host *h, const char *name, uint16_t phase, uint16_t *kind);
  /* What is known about a kind, NULL when nobody has it; `payload` is UINT32_MAX when it was declared. Static storage.
   * [any] */
  const kemon_kind_info *(*info)(const kemon_host *h, uint16_t kind);
  /* The fields of its payload in order, NULL and 0 for an unknown kind. Static storage. [any] */
  const kemon_field_info *(*fields)(const kemon_host *h, uint16_t kind, size_t *count);
  /* Finds a field by its name; KEMON_E_NOTFOUND, and *field is unchanged. [any] */
  kemon_status (*field)(const kemon_host *h, uint16_t kind, const char *name, kemon_field *field);
  /* The kind as `kemon-host events KIND -o json` shows it, NULL when unknown. Static storage. [any] */
  const char *(*json)(const kemon_host *h, uint16_t kind);
  /* Declares a kind of one's own:
   *   {"name": "my-guard.alert", "fields": [{"name": "path", "type": "str", "meaning": "what was opened"}]}
   * The name begins with the plugin's name and a dot. Fields lie as the members of a C struct would. The phase is
   * NOTIFY, and only observers get such events. A kind that is declared again may have more fields at its end.
   * At most 64 kinds in a host and 64 fields in a kind. Fails with line and column for bad JSON. In create. [control] */
  kemon_status (*declare)(const kemon_host *h, const char *json, uint16_t *kind, kemon_error *e);
  /* Publishes an event of a kind that this plugin has declared, with the values of its first `count` fields; the rest
   * are 0 or absent. `about`: the event that led to it, whose subject and corr it gets, or NULL. Never waits:
   * KEMON_E_FULL when the ring has no room, or when KEMON_EV_DEPTH_LIMIT events led to each other (both counted).
   * KEMON_E_DENIED for a kind of somebody else. The plugin's own handlers do not get it. [any] */
  kemon_status (*emit)(const kemon_host *h, uint16_t kind, const kemon_event *about, const kemon_value *values,
                       uint32_t count);
} kemon_ext_schema;

/* The integer in a field of the event; 0 when the event is of another kind or its producer did not fill it in. [any] */
static inline uint64_t kemon_field_u64(const kemon_event *e, const kemon_field *f) {
  const char *payload = (const char *)kemon_payload(e, (size_t)f->offset + f->width);
  uint64_t value = 0;
  if (payload == NULL || e->kind != f->kind)
    return 0;
  if (f->type == KEMON_FIELD_U16) {
    uint16_t half;
    memcpy(&half, payload + f->offset, sizeof half);
    value = half;
  } else if (f->type == KEMON_FIELD_U32) {
    uint32_t word;
    memcpy(&word, payload + f->offset, sizeof word);
    value = word;
  } else if (f->type == KEMON_FIELD_I32) {
    int32_t word;
    memcpy(&word, payload + f->offset, sizeof word);
    value = (uint64_t)(int64_t)word;
  } else if (f->type < KEMON_FIELD_STR) {
    memcpy(&value, payload + f->offset, sizeof value);
  }
  return value;
}

/* The string, list or bytes in a field of the event, for kemon_str_ptr; absent as above. [any] */
static inline kemon_str kemon_field_str(const kemon_event *e, const kemon_field *f) {
  const char *payload = (const char *)kemon_payload(e, (size_t)f->offset + f->width);
  kemon_str string = {0, 0};
  if (payload != NULL && e->kind == f->kind && f->type >= KEMON_FIELD_STR)
    memcpy(&string, payload + f->offset, sizeof string);
  return string;
}

KEMON_C_END
#endif
