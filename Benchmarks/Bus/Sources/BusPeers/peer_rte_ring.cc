// SPDX-License-Identifier: Apache-2.0
// DPDK's rte_ring in memory of ours, without its environment: elements are written and read in place (zero copy).
// Many producers: the usual multi-producer mode copies the element in; the mode with serialised heads (HTS) writes in
// place as well. Both are measured.
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <rte_ring_peek_zc.h>

#include "peers.hpp"
#include "workloads.hpp"

namespace {

enum class Mode { single, many, many_in_place };

template <class M, Mode mode>
struct RteRing {
  static_assert(sizeof(M) % 4 == 0);
  rte_ring *ring;

  RteRing(std::size_t slots, std::uint32_t) {
    const ssize_t header = rte_ring_get_memsize_elem(sizeof(M), slots);
    ring = static_cast<rte_ring *>(std::aligned_alloc(128, (header + 127) / 128 * 128));
    const unsigned flags = mode == Mode::single ? RING_F_SP_ENQ | RING_F_SC_DEQ
                           : mode == Mode::many ? RING_F_SC_DEQ
                                                : RING_F_MP_HTS_ENQ | RING_F_SC_DEQ;
    if (header < 0 || !ring || rte_ring_init(ring, "bench", slots, flags) != 0) std::abort();
  }
  RteRing(const RteRing &) = delete;
  ~RteRing() { std::free(ring); }

  struct Producer {
    rte_ring *ring;
    Producer(RteRing &owner, std::uint32_t) : ring(owner.ring) {}
    bool push(const M &message) {
      if constexpr (mode == Mode::many) {
        return rte_ring_mp_enqueue_elem(ring, const_cast<M *>(&message), sizeof(M)) == 0;
      } else {
        rte_ring_zc_data place;
        if (rte_ring_enqueue_zc_bulk_elem_start(ring, sizeof(M), 1, &place, nullptr) == 0) return false;
        new (place.ptr1) M(message);
        rte_ring_enqueue_zc_elem_finish(ring, 1);
        return true;
      }
    }
  };

  struct Consumer {
    rte_ring *ring;
    explicit Consumer(RteRing &owner) : ring(owner.ring) {}
    template <class F>
    std::size_t drain(F &&each) {
      rte_ring_zc_data place;
      const unsigned count =
          rte_ring_dequeue_zc_burst_elem_start(ring, sizeof(M), BUS_BATCH, &place, nullptr);
      if (count == 0) return 0;
      const auto *first = static_cast<const M *>(place.ptr1);
      const auto *second = static_cast<const M *>(place.ptr2);
      const unsigned split = place.n1 < count ? place.n1 : count;
      for (unsigned i = 0; i < split; i++) each(first[i]);
      for (unsigned i = split; i < count; i++) each(second[i - split]);
      rte_ring_dequeue_zc_elem_finish(ring, count);
      return count;
    }
  };
};

template <class M>
using Single = RteRing<M, Mode::single>;
template <class M>
using Many = RteRing<M, Mode::many>;
template <class M>
using ManyInPlace = RteRing<M, Mode::many_in_place>;

}  // namespace

const bus_peer bus::peer_rte_ring_single = bus::single<Single>("rte_ring sp/sc", "libdpdk-dev");
const bus_peer bus::peer_rte_ring_many = bus::shared<Many>("rte_ring mp/sc", "libdpdk-dev", true);
const bus_peer bus::peer_rte_ring_hts =
    bus::shared<ManyInPlace>("rte_ring hts/sc", "libdpdk-dev", true);
