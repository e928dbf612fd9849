/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/event.h: the record of one event: a header, a payload, votes and strings, position independent, the same bytes
 * in the ring, in a worker's shared memory and in a recording.
 */
#ifndef KEMON_EVENT_H
#define KEMON_EVENT_H

#include "base.h"
#include "event_table.h"
#include "payloads.h"

KEMON_C_BEGIN

#define KEMON_PHASE_PRE 1    /* before the operation: a handler may vote */
#define KEMON_PHASE_POST 2   /* after it: a handler sees the result and may replace it */
#define KEMON_PHASE_NOTIFY 3 /* there is no operation to decide on */

/* Event kinds: KEMON_KIND_FILE_OPEN_PRE, ... */
enum {
#define KEMON_KIND_CONSTANT(constant, number, name, family, phase, can_deny, payload) KEMON_KIND_##constant = number,
  KEMON_EVENT_TABLE(KEMON_KIND_CONSTANT)
#undef KEMON_KIND_CONSTANT
};

/* Families: KEMON_FAMILY_FILE, ... */
enum {
#define KEMON_FAMILY_CONSTANT(constant, number, name) KEMON_FAMILY_##constant = number,
  KEMON_FAMILY_TABLE(KEMON_FAMILY_CONSTANT)
#undef KEMON_FAMILY_CONSTANT
};

/* kemon_event.flags */
#define KEMON_EV_TRUNCATED 0x0001  /* some string is cut: never allow by comparing it */
#define KEMON_EV_REPLAYED 0x0002   /* comes from a recording */
#define KEMON_EV_CACHED 0x0008     /* the verdict is remembered from an equal event; nobody was asked, so no votes */
#define KEMON_EV_GAP_BEFORE 0x0004 /* the subscriber that reads this lost events just before it */
#define KEMON_EV_LATE 0x0040       /* it failed behind the point of no return: the process is killed (process.exec) */
#define KEMON_EV_SYNTHETIC 0x0010  /* emitted by a plugin, see schema.h */
#define KEMON_EV_REVALIDATE 0x0020 /* a handler changed a field: all are asked again, about what will happen now */

/* Of a synthetic event: the length of the chain that led to it, 1 for an event that no synthetic one has caused. */
#define KEMON_EV_DEPTH_SHIFT 12
#define KEMON_EV_DEPTH_LIMIT 8

/* Who acts. (pid, start_ns) stays unique when pids are used again. */
typedef struct kemon_subject {
  uint64_t start_ns; /* when the process started, nanoseconds since 1970; 0 = unknown */
  int32_t pid, tid, ppid;
  uint32_t uid, gid; /* UINT32_MAX = unknown */
  uint32_t flags;    /* 0 */
  kemon_str exe;     /* path of the process' image */
  kemon_str comm;    /* its short name */
  kemon_str parent;  /* short name of its parent */
} kemon_subject;

/* One handler's vote, kept in the record. Names of plugins and handlers: extension kemon.names/1. */
typedef struct kemon_vote {
  uint32_t plugin_id, handler_id;
  uint16_t action;       /* KEMON_ABSTAIN .. KEMON_DENY */
  uint16_t tier;         /* KEMON_TIER_GUARD .. KEMON_TIER_OBSERVE */
  int32_t err;           /* errno of a denial, Linux numbers */
  uint32_t reason_code;  /* the plugin's own number */
  uint32_t latency_ns;   /* how long the handler took; 0 = this call was not timed */
  kemon_str reason;      /* absent when the handler gave none */
} kemon_vote;

/* The header of a record. Records and payloads start at multiples of 8. Events are read only for plugins. */
typedef struct kemon_event {
  uint32_t size; /* of the whole record: header, payload, votes and strings */
  uint16_t header_size;
  uint16_t kind;
  uint16_t phase, flags;
  uint32_t schema; /* revision of the payload that the producer filled in; 1 today */
  uint32_t payload_off, payload_size;
  uint64_t seq;         /* host-wide number of the event, from 1; 0 until it is published */
  uint64_t corr;        /* the same in the pre and the post of one operation */
  uint64_t time_ns;     /* nanoseconds since 1970 on the event clock, which is virtual during replay */
  uint64_t deadline_ns; /* same clock: when the answer must be there; 0 = nobody waits that precisely */
  kemon_subject subject;
  int32_t result;      /* POST: errno that the operation ended with, Linux numbers, 0 = success */
  uint32_t decided_by; /* id of the plugin whose vote decided, 0 = the default */
  uint32_t votes_off;
  uint16_t votes_count;
  uint16_t verdict; /* what was decided: KEMON_ABSTAIN (the default applies) .. KEMON_DENY */
} kemon_event;

/* Nonzero when the header of event e has field f: `size` of an event counts the whole record. */
#define KEMON_EVENT_HAS(e, f) ((e)->header_size >= offsetof(kemon_event, f) + sizeof((e)->f))

/* The text of a string of the event, NUL-terminated; "" when it is absent or does not lie inside the record. The
 * pointer lives as long as the event. [any] */
static inline const char *kemon_str_ptr(const kemon_event *e, kemon_str s) {
  return (s.off != 0 && (uint64_t)s.off + s.len < e->size) ? (const char *)e + s.off : "";
}

/* How many bytes kemon_str_ptr may be read for; 0 when the string is absent or does not lie inside the record. [any] */
static inline uint32_t kemon_str_len(const kemon_event *e, kemon_str s) {
  return (s.off != 0 && (uint64_t)s.off + s.len < e->size) ? s.len : 0;
}

/* The payload, or NULL when the producer is too old to fill in `need` bytes or the record is malformed. The pointer
 * lives as long as the event. Know the kind before you cast: a handler of "file.*" meets three structs. [any]
 *   const kemon_file *f = (const kemon_file *)kemon_payload(event, sizeof *f); */
static inline const void *kemon_payload(const kemon_event *e, size_t need) {
  uint64_t end = (uint64_t)e->payload_off + e->payload_size;
  return (e->payload_size >= need && end <= e->size && e->payload_off % 8 == 0) ? (const char *)e + e->payload_off
                                                                                  : (const char *)0;
}

/* Vote number `index` of the event, or NULL when there is none or it does not lie inside the record. The pointer lives
 * as long as the event. [any] */
static inline const kemon_vote *kemon_vote_at(const kemon_event *e, uint32_t index) {
  uint64_t end = (uint64_t)e->votes_off + ((uint64_t)index + 1) * sizeof(kemon_vote);
  return (index < e->votes_count && e->votes_off != 0 && e->votes_off % 8 == 0 && end <= e->size)
             ? (const kemon_vote *)(const void *)((const char *)e + e->votes_off) + index
             : (const kemon_vote *)0;
}

/* What is known about a kind: a row of event_table.h. The strings have static storage. */
typedef struct kemon_kind_info {
  uint16_t kind;
  uint8_t phase, family, can_deny, reserved[3];
  uint32_t payload_size;
  uint32_t payload; /* index into kemon_payload_infos */
  const char *name;
  const char *constant;
} kemon_kind_info;

/* What is known about a field of a payload. The strings have static storage. */
typedef struct kemon_field_info {
  const char *name, *type, *doc;
  uint32_t offset, width;
} kemon_field_info;

enum {
#define KEMON_PAYLOAD_INDEX(name) KEMON_PAYLOAD_INDEX_##name,
  KEMON_PAYLOAD_TABLE(KEMON_PAYLOAD_INDEX)
#undef KEMON_PAYLOAD_INDEX
      KEMON_PAYLOAD_COUNT
};

/* All kinds, in the order of the table. Static storage. [any] */
static inline const kemon_kind_info *kemon_kind_infos(size_t *count) {
#define KEMON_KIND_ROW(constant, number, name, family, phase, can_deny, payload)                                       \
  {number, KEMON_PHASE_##phase, KEMON_FAMILY_##family, can_deny, {0, 0, 0}, sizeof(payload),                           \
   KEMON_PAYLOAD_INDEX_##payload, name, #constant},
  static const kemon_kind_info rows[] = {KEMON_EVENT_TABLE(KEMON_KIND_ROW)};
#undef KEMON_KIND_ROW
  *count = sizeof rows / sizeof rows[0];
  return rows;
}

/* The fields of payload struct `payload` (kemon_kind_info.payload); NULL and 0 for an unknown index. [any] */
static inline const kemon_field_info *kemon_field_infos(uint32_t payload, size_t *count) {
#define KEMON_FIELD_ROW(type_, name_, doc_)                                                                            \
  {#name_, #type_, doc_, (uint32_t)offsetof(kemon_row_of, name_), (uint32_t)sizeof(KEMON_TYPE_##type_)},
#define KEMON_PAYLOAD_ROWS(struct_)                                                                                    \
  if (payload == (uint32_t)KEMON_PAYLOAD_INDEX_##struct_) {                                                            \
    typedef struct_ kemon_row_of;                                                                                      \
    static const kemon_field_info rows[] = {struct_##_FIELDS(KEMON_FIELD_ROW)};                                        \
    *count = sizeof rows / sizeof rows[0];                                                                             \
    return rows;                                                                                                       \
  }
  KEMON_PAYLOAD_TABLE(KEMON_PAYLOAD_ROWS)
#undef KEMON_PAYLOAD_ROWS
#undef KEMON_FIELD_ROW
  *count = 0;
  return (const kemon_field_info *)0;
}

/* Nonzero when a handler of kind `kind` may change the field at `offset` of its payload, see modify.h. [any] */
static inline int kemon_is_modifiable(uint16_t kind, uint32_t offset) {
#define KEMON_MODIFIABLE_ROW(constant, payload, field)                                                                 \
  if (kind == KEMON_KIND_##constant && offset == (uint32_t)offsetof(payload, field))                                   \
    return 1;
  KEMON_MODIFIABLE_TABLE(KEMON_MODIFIABLE_ROW)
#undef KEMON_MODIFIABLE_ROW
  return 0;
}

KEMON_C_END
#endif
