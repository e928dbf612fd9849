// SPDX-License-Identifier: Apache-2.0
#include "peers.hpp"

#include <malloc.h>

const bus_peer *const *bus_peers(size_t *count) {
  // Memory that a round gives back stays mapped for the next one: no contestant pays for fresh pages.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  static const bus_peer *const all[] = {
      &bus::peer_moodycamel,          &bus::peer_reader_writer_queue, &bus::peer_boost_spsc,
      &bus::peer_boost_queue,         &bus::peer_rte_ring_single,     &bus::peer_rte_ring_many,
      &bus::peer_rte_ring_hts,        &bus::peer_ck_ring_single,      &bus::peer_ck_ring_many,
      &bus::peer_atomic_queue_single, &bus::peer_atomic_queue_many,   &bus::peer_urcu_wfcq,
  };
  *count = sizeof all / sizeof all[0];
  return all;
}
