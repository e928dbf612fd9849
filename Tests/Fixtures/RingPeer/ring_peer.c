/* SPDX-License-Identifier: Apache-2.0
 * The far side of a shared ring, with nothing but the SDK's headers. The ring is descriptor 0.
 *   ring_peer answer       answers each record with a sum of its bytes, for ever
 *   ring_peer publish SEED publishes records with a sum in front, for ever
 *   ring_peer outlive-producer      checks the numbered records of the ring's creator until that dies; then its account
 *   ring_peer outlive-reader SEED   publishes until the ring's creator dies; then its account
 *   ring_peer die          publishes three records, begins a fourth, and is killed in the middle of it */
#include <kemon/ring.h>

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t sum_of(const uint8_t *bytes, uint64_t size) {
  uint32_t sum = 1;
  for (uint64_t i = 0; i < size; i++)
    sum = sum * 31 + bytes[i];
  return sum;
}

static void answer_all(kemon_ring *ring) {
  kemon_ring_record record;
  int idle = 0;
  for (;;) {
    if (!kemon_ring_peek(ring, &record)) {
      if (++idle > 200)
        kemon_ring_wait(ring, 1000000);
      continue;
    }
    idle = 0;
    kemon_ring_answer(ring, record.sequence, sum_of(record.bytes, record.size));
    kemon_ring_release(ring);
  }
}

static kemon_status publish_one(kemon_ring *ring, uint32_t *random) {
  static uint8_t bytes[65536];
  *random = *random * 1664525u + 1013904223u;
  uint32_t size = (*random >> 16) % 16 == 0 ? 1000 + (*random >> 12) % 60000 : 16 + (*random >> 16) % 200;
  uint32_t sum;
  memset(bytes + 4, (int)(*random >> 24), size - 4);
  sum = sum_of(bytes + 4, size - 4);
  memcpy(bytes, &sum, sizeof sum);
  return kemon_ring_publish(ring, bytes, size);
}

/* Says that it is attached, so that the other side may die from now on. */
static void say_ready(kemon_ring *ring) {
  if (kemon_ring_watch(ring, 0) != KEMON_OK)
    exit(4);
  puts("ready");
  fflush(stdout);
}

static int outlive_producer(kemon_ring *ring) {
  kemon_ring_record record;
  uint64_t delivered = 0, wrong = 0, given = 0;
  int idle = 0, is_over = 0;
  say_ready(ring);
  for (;;) {
    if (kemon_ring_peek(ring, &record)) {
      const uint8_t *bytes = record.bytes;
      uint32_t sum, number;
      memcpy(&sum, bytes, sizeof sum);
      memcpy(&number, bytes + 4, sizeof number);
      wrong += sum != sum_of(bytes + 8, record.size - 8) || number != record.sequence || delivered != record.sequence;
      delivered++;
      kemon_ring_release(ring);
      idle = 0;
    } else if (is_over) {
      break;
    } else if (kemon_ring_peer_ended(ring)) {
      given = kemon_ring_pass_dead_producer(ring);
      is_over = 1;
    } else if (++idle > 200) {
      kemon_ring_wait(ring, 1000000);
    }
  }
  printf("%llu %llu %llu %llu %llu\n", (unsigned long long)ring->next, (unsigned long long)delivered,
         (unsigned long long)ring->lost, (unsigned long long)given, (unsigned long long)wrong);
  return 0;
}

static int outlive_reader(kemon_ring *ring, uint32_t random) {
  say_ready(ring);
  for (;;) {
    kemon_status status = publish_one(ring, &random);
    if (status == KEMON_OK)
      continue;
    if (status != KEMON_E_FULL)
      return 3;
    if (kemon_ring_peer_ended(ring))
      break;
    sched_yield();
  }
  uint64_t read = __atomic_load_n(kemon_ring_word(ring, KEMON_RING_LINE + 8), __ATOMIC_ACQUIRE);
  printf("%llu %llu %llu\n", (unsigned long long)ring->next, (unsigned long long)read,
         (unsigned long long)kemon_ring_unread(ring));
  return 0;
}

int main(int argc, char **argv) {
  kemon_ring ring;
  uint32_t random = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
  kemon_status status = kemon_ring_attach(&ring, 0);
  if (argc < 2 || status != KEMON_OK) {
    fprintf(stderr, "attach: %d\n", status);
    return 2;
  }
  if (strcmp(argv[1], "outlive-producer") == 0)
    return outlive_producer(&ring);
  if (strcmp(argv[1], "outlive-reader") == 0)
    return outlive_reader(&ring, random);
  if (strcmp(argv[1], "answer") == 0)
    answer_all(&ring);
  if (strcmp(argv[1], "die") == 0) {
    for (int i = 0; i < 3; i++)
      if (publish_one(&ring, &random) != KEMON_OK)
        return 3;
    __atomic_store_n(kemon_ring_slot(&ring, ring.next), kemon_ring_stamp(ring.next, KEMON_RING_WRITING, 0),
                     __ATOMIC_RELEASE);
    raise(SIGKILL);
  }
  for (;;) {
    status = publish_one(&ring, &random);
    if (status == KEMON_E_FULL)
      sched_yield();
    else if (status != KEMON_OK)
      return 3;
  }
}
