/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/ring.h: the far side of a ring that a host shares with another process through a file in memory.
 *
 * One process publishes records, the other reads them in order and may answer each with 32 bits, which come back in the
 * slot itself. Which side publishes is fixed when the ring is made; for both directions take two rings.
 *
 *   0    kemon_ring_header     what the ring is, never changes     384  sleepers, futex
 *   128  where a producer starts                                   512  lines of 128 bytes: state, cursor
 *                                                                  8704 slots, then a block for each slot
 *   slot: stamp, answer, bytes. Records that do not fit a slot lie in the slot's block.
 *   stamp: sequence + 1 (40 bits), state (2 bits), size (22 bits). It says "writing" before the first byte of a record
 *   is stored and "published" behind the last. A producer that died in between leaves "writing": the reader's side
 *   turns it into a gap once it knows of the death (kemon_ring_pass_dead_producer).
 *
 * Nothing in the file is believed by the other side: whoever scribbles over it harms only itself.
 * Linux, 64 bits. Not part of kemon.h: include it first in its file, or compile with _GNU_SOURCE.
 * A kemon_ring is for one thread at a time.
 */
#ifndef KEMON_RING_H
#define KEMON_RING_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "base.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef F_GET_SEALS
#error "include kemon/ring.h before other headers, or compile with _GNU_SOURCE"
#endif

KEMON_C_BEGIN

#define KEMON_RING_MAGIC 0x474E524E4F4D454BULL /* "KEMONRNG" */
#define KEMON_RING_VERSION 1u
#define KEMON_RING_CREATOR_PRODUCES 0x1u /* flags: who made the file publishes; else who attaches to it does */

typedef struct kemon_ring_header {
  uint64_t magic;
  uint32_t version, flags;
  uint64_t slots;        /* a power of two */
  uint64_t slot_bytes;   /* a multiple of 16, 16 of them for stamp and answer */
  uint64_t block_bytes;  /* of a slot's block; 0 when every record fits its slot */
  uint64_t record_limit; /* the largest record */
  uint64_t size;         /* of the file */
  uint32_t creator, reserved;
} kemon_ring_header;

#define KEMON_RING_START 128
#define KEMON_RING_SLEEPERS 384
#define KEMON_RING_WAKEUPS 392
#define KEMON_RING_LINE 512
#define KEMON_RING_SLOTS 8704

#define KEMON_RING_WRITING 1u
#define KEMON_RING_PUBLISHED 2u
#define KEMON_RING_GAP 3u

#define KEMON_RING_PENDING 1u  /* states of an answer */
#define KEMON_RING_SLEEPING 2u /* pending, and the producer sleeps on the low half of the word */
#define KEMON_RING_ANSWERED 3u

/* A process's own side of a ring. Fill it in with kemon_ring_attach; the fields are not for you. */
typedef struct kemon_ring {
  uint32_t size, flags;
  uint8_t *base;
  uint64_t mask, slot_bytes, block_bytes, record_limit, length, blocks;
  uint64_t next;  /* the sequence to read, or to publish */
  uint64_t limit; /* of the producer: sequences below it have room */
  uint64_t lost;  /* of the reader: gaps that it has passed */
  int32_t peer;   /* the pidfd of the other process; -1 when it is not watched */
  int32_t reserved;
} kemon_ring;

/* A record in place: valid until kemon_ring_release. */
typedef struct kemon_ring_record {
  uint64_t sequence;
  const void *bytes;
  uint64_t size;
} kemon_ring_record;

static inline uint64_t *kemon_ring_word(const kemon_ring *r, uint64_t offset) {
  return (uint64_t *)(void *)(r->base + offset);
}

static inline uint64_t *kemon_ring_slot(const kemon_ring *r, uint64_t sequence) {
  return kemon_ring_word(r, KEMON_RING_SLOTS + (sequence & r->mask) * r->slot_bytes);
}

static inline uint64_t kemon_ring_stamp(uint64_t sequence, uint64_t state, uint64_t size) {
  return ((sequence + 1) << 24) | (state << 22) | size;
}

static inline uint8_t *kemon_ring_place(const kemon_ring *r, uint64_t sequence, uint64_t size) {
  return size <= r->slot_bytes - 16 ? (uint8_t *)(kemon_ring_slot(r, sequence) + 2)
                                    : r->base + r->blocks + (sequence & r->mask) * r->block_bytes;
}

/* Maps the ring behind a descriptor, which may be closed afterwards. KEMON_E_INVALID: not a ring of this version, or one
 * that could change its size under the reader. KEMON_E_NOMEM: it cannot be mapped. */
static inline kemon_status kemon_ring_attach(kemon_ring *r, int fd) {
  const int sealed = F_SEAL_GROW | F_SEAL_SHRINK;
  kemon_ring_header h;
  struct stat file;
  void *p;
  memset(r, 0, sizeof *r);
  r->size = sizeof *r;
  r->peer = -1;
  if (fstat(fd, &file) != 0 || file.st_size < KEMON_RING_SLOTS || (fcntl(fd, F_GET_SEALS) & sealed) != sealed)
    return KEMON_E_INVALID;
  p = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (p == MAP_FAILED)
    return KEMON_E_NOMEM;
  memcpy(&h, p, sizeof h);
  r->base = (uint8_t *)p;
  r->length = (uint64_t)file.st_size;
  r->flags = h.flags;
  r->mask = h.slots - 1;
  r->slot_bytes = h.slot_bytes;
  r->block_bytes = h.block_bytes;
  r->record_limit = h.record_limit;
  r->blocks = (KEMON_RING_SLOTS + h.slots * h.slot_bytes + 4095) & ~(uint64_t)4095;
  if (h.magic != KEMON_RING_MAGIC || h.version != KEMON_RING_VERSION || h.size != r->length || h.slots < 4 ||
      h.slots > (1u << 24) || (h.slots & r->mask) != 0 || h.slot_bytes < 32 || h.slot_bytes > (1u << 16) ||
      h.slot_bytes % 16 != 0 || h.block_bytes > (1u << 22) || h.block_bytes % 4096 != 0 ||
      r->blocks + h.slots * h.block_bytes != h.size ||
      h.record_limit > (h.block_bytes != 0 ? h.block_bytes : h.slot_bytes - 16)) {
    munmap(p, (size_t)r->length);
    r->base = NULL;
    return KEMON_E_INVALID;
  }
  if ((r->flags & KEMON_RING_CREATOR_PRODUCES) != 0) {
    r->next = __atomic_load_n(kemon_ring_word(r, KEMON_RING_LINE + 8), __ATOMIC_ACQUIRE);
  } else {
    r->next = __atomic_load_n(kemon_ring_word(r, KEMON_RING_START), __ATOMIC_ACQUIRE);
    r->limit = r->next;
  }
  return KEMON_OK;
}

/* Unmaps the ring. */
static inline void kemon_ring_detach(kemon_ring *r) {
  if (r->base != NULL)
    munmap(r->base, (size_t)r->length);
  if (r->peer >= 0)
    close(r->peer);
  r->base = NULL;
  r->peer = -1;
}

/* Watches the process on the other side, so that its death can be told: `pid`, or 0 for the one that made the ring and
 * says so in its header. KEMON_E_NOTFOUND: there is no such process any more. */
static inline kemon_status kemon_ring_watch(kemon_ring *r, int32_t pid) {
  const kemon_ring_header *header = (const kemon_ring_header *)(const void *)r->base;
  int32_t peer = (int32_t)syscall(SYS_pidfd_open, pid != 0 ? pid : (int32_t)header->creator, 0);
  if (peer < 0)
    return KEMON_E_NOTFOUND;
  if (r->peer >= 0)
    close(r->peer);
  r->peer = peer;
  return KEMON_OK;
}

/* Whether the watched process has ended: 1, or 0, also when none is watched. */
static inline int kemon_ring_peer_ended(const kemon_ring *r) {
  struct pollfd one = {r->peer, POLLIN, 0};
  return r->peer >= 0 && poll(&one, 1, 0) > 0;
}

/* The next record in place: 1, or 0 when there is none yet. Calling it again gives the same one. */
static inline int kemon_ring_peek(kemon_ring *r, kemon_ring_record *record) {
  for (;;) {
    uint64_t stamp = __atomic_load_n(kemon_ring_slot(r, r->next), __ATOMIC_ACQUIRE);
    uint64_t size = stamp & 0x3FFFFF;
    if ((stamp ^ kemon_ring_stamp(r->next, KEMON_RING_PUBLISHED, 0)) <= 0x3FFFFF && size <= r->record_limit) {
      record->sequence = r->next;
      record->bytes = kemon_ring_place(r, r->next, size);
      record->size = size;
      return 1;
    }
    if (stamp >> 22 != kemon_ring_stamp(r->next, KEMON_RING_GAP, 0) >> 22)
      return 0;
    r->lost++;
    r->next++;
  }
}

/* Is done with the record of kemon_ring_peek: the producer may use its slot again. */
static inline void kemon_ring_release(kemon_ring *r) {
  r->next++;
  __atomic_store_n(kemon_ring_word(r, KEMON_RING_LINE + 8), r->next, __ATOMIC_RELEASE);
}

/* Makes gaps of what a dead producer began and did not finish; what it had finished is read first, and then
 * kemon_ring_peek passes the gaps and counts them in `lost`. Only when the producer has ended, and before another one
 * begins. How many records were given up. */
static inline uint64_t kemon_ring_pass_dead_producer(kemon_ring *r) {
  uint64_t end = r->next, given = 0;
  for (uint64_t sequence = r->next; sequence <= r->next + r->mask; sequence++) {
    uint64_t stamp = __atomic_load_n(kemon_ring_slot(r, sequence), __ATOMIC_ACQUIRE);
    if (stamp >> 24 == kemon_ring_stamp(sequence, 0, 0) >> 24)
      end = sequence + 1;
  }
  for (uint64_t sequence = r->next; sequence < end; sequence++) {
    uint64_t stamp = __atomic_load_n(kemon_ring_slot(r, sequence), __ATOMIC_ACQUIRE);
    if (stamp >> 22 == kemon_ring_stamp(sequence, KEMON_RING_PUBLISHED, 0) >> 22)
      continue;
    __atomic_store_n(kemon_ring_slot(r, sequence), kemon_ring_stamp(sequence, KEMON_RING_GAP, 0), __ATOMIC_RELEASE);
    given++;
  }
  __atomic_store_n(kemon_ring_word(r, KEMON_RING_START), end, __ATOMIC_RELEASE);
  return given;
}

/* Of the producer: how many records the reader has not released; of one that has ended, what it left unread. */
static inline uint64_t kemon_ring_unread(const kemon_ring *r) {
  uint64_t cursor = __atomic_load_n(kemon_ring_word(r, KEMON_RING_LINE + 8), __ATOMIC_ACQUIRE);
  return cursor > r->next ? 0 : r->next - cursor > r->mask ? r->mask + 1 : r->next - cursor;
}

/* Answers a record; before its release. 1, or 0 when no answer is wanted any more. */
static inline int kemon_ring_answer(kemon_ring *r, uint64_t sequence, uint32_t value) {
  uint64_t *word = kemon_ring_slot(r, sequence) + 1;
  uint64_t tag = ((sequence + 1) & 0xFFFFFF) << 8;
  uint64_t seen = tag | KEMON_RING_PENDING;
  uint64_t answer = ((uint64_t)value << 32) | tag | KEMON_RING_ANSWERED;
  if (__atomic_compare_exchange_n(word, &seen, answer, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return 1;
  if (seen != (tag | KEMON_RING_SLEEPING) ||
      !__atomic_compare_exchange_n(word, &seen, answer, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return 0;
  syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
  return 1;
}

/* Sleeps until something is published, at most timeout_ns; may return early. */
static inline void kemon_ring_wait(kemon_ring *r, uint64_t timeout_ns) {
  uint64_t *futex = kemon_ring_word(r, KEMON_RING_WAKEUPS);
  uint32_t ticket = (uint32_t)__atomic_load_n(futex, __ATOMIC_SEQ_CST);
  kemon_ring_record record;
  struct timespec timeout;
  __atomic_store_n(kemon_ring_word(r, KEMON_RING_SLEEPERS), 1, __ATOMIC_SEQ_CST);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (kemon_ring_peek(r, &record))
    return;
  timeout.tv_sec = (time_t)(timeout_ns / 1000000000u);
  timeout.tv_nsec = (long)(timeout_ns % 1000000000u);
  syscall(SYS_futex, futex, FUTEX_WAIT, ticket, &timeout, NULL, 0);
}

/* Publishes a record. KEMON_E_FULL: the reader is a whole ring behind. KEMON_E_INVALID: the record is too large, or this
 * side of the ring reads. */
static inline kemon_status kemon_ring_publish(kemon_ring *r, const void *bytes, uint64_t size) {
  uint64_t *slot = kemon_ring_slot(r, r->next);
  if (size > r->record_limit || (r->flags & KEMON_RING_CREATOR_PRODUCES) != 0)
    return KEMON_E_INVALID;
  if (r->next >= r->limit) {
    uint64_t cursor = __atomic_load_n(kemon_ring_word(r, KEMON_RING_LINE + 8), __ATOMIC_ACQUIRE);
    if (cursor > r->next || r->next - cursor > r->mask)
      return KEMON_E_FULL;
    r->limit = cursor + r->mask + 1;
  }
  __atomic_store_n(slot, kemon_ring_stamp(r->next, KEMON_RING_WRITING, 0), __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_RELEASE);
  __atomic_store_n(slot + 1, 0, __ATOMIC_RELAXED);
  memcpy(kemon_ring_place(r, r->next, size), bytes, size);
  __atomic_store_n(slot, kemon_ring_stamp(r->next, KEMON_RING_PUBLISHED, size), __ATOMIC_SEQ_CST);
  r->next++;
  if (__atomic_load_n(kemon_ring_word(r, KEMON_RING_SLEEPERS), __ATOMIC_SEQ_CST) != 0 &&
      __atomic_exchange_n(kemon_ring_word(r, KEMON_RING_SLEEPERS), 0, __ATOMIC_SEQ_CST) != 0) {
    uint64_t *futex = kemon_ring_word(r, KEMON_RING_WAKEUPS);
    __atomic_fetch_add(futex, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, futex, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
  }
  return KEMON_OK;
}

KEMON_C_END
#endif
