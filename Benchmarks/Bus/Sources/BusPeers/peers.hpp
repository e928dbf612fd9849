// SPDX-License-Identifier: Apache-2.0
// The contestants, one file each.
#pragma once
#include "bus_peers.h"

namespace bus {
extern const bus_peer peer_moodycamel;
extern const bus_peer peer_reader_writer_queue;
extern const bus_peer peer_boost_spsc;
extern const bus_peer peer_boost_queue;
extern const bus_peer peer_rte_ring_single;
extern const bus_peer peer_rte_ring_many;
extern const bus_peer peer_rte_ring_hts;
extern const bus_peer peer_ck_ring_single;
extern const bus_peer peer_ck_ring_many;
extern const bus_peer peer_atomic_queue_single;
extern const bus_peer peer_atomic_queue_many;
extern const bus_peer peer_urcu_wfcq;
}  // namespace bus
