/* SPDX-License-Identifier: Apache-2.0
 * The far side of a shared ring, with nothing but the SDK's headers. The ring is descriptor 0.
 *   ring_peer answer       answers each record with a sum of its bytes, for ever
 *   ring_peer publish SEED publishes records with a sum in front, for ever
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

int main(int argc, char **argv) {
  kemon_ring ring;
  uint32_t random = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
  kemon_status status = kemon_ring_attach(&ring, 0);
  if (argc < 2 || status != KEMON_OK) {
    fprintf(stderr, "attach: %d\n", status);
    return 2;
  }
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
