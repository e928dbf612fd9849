// SPDX-License-Identifier: Apache-2.0
// Concurrency Kit's ck_ring with elements by value: reserved, written in place, committed; dequeued one by one.
#define false 0  // in a header of C, which returns it for a null pointer
extern "C" {
#include <ck_ring.h>
}
#undef false

#include "peers.hpp"
#include "workloads.hpp"

namespace {

template <class M, bool is_many>
struct CkRing {
  alignas(128) ck_ring ring;
  M *cells;

  CkRing(std::size_t slots, std::uint32_t)
      : cells(static_cast<M *>(std::aligned_alloc(128, sizeof(M) * slots))) {
    if (!cells) std::abort();
    ck_ring_init(&ring, static_cast<unsigned>(slots));
  }
  CkRing(const CkRing &) = delete;
  ~CkRing() { std::free(cells); }

  struct Producer {
    CkRing *owner;
    Producer(CkRing &owner, std::uint32_t) : owner(&owner) {}
    bool push(const M &message) {
      if constexpr (is_many) {
        unsigned ticket;
        void *cell = _ck_ring_enqueue_reserve_mp(&owner->ring, owner->cells, sizeof(M), &ticket, nullptr);
        if (!cell) return false;
        new (cell) M(message);
        _ck_ring_enqueue_commit_mp(&owner->ring, ticket);
      } else {
        void *cell = _ck_ring_enqueue_reserve_sp(&owner->ring, owner->cells, sizeof(M), nullptr);
        if (!cell) return false;
        new (cell) M(message);
        _ck_ring_enqueue_commit_sp(&owner->ring);
      }
      return true;
    }
  };

  struct Consumer {
    CkRing &owner;
    M message{};
    explicit Consumer(CkRing &owner) : owner(owner) {}
    template <class F>
    std::size_t drain(F &&each) {
      std::size_t count = 0;
      while (count < BUS_BATCH &&
             _ck_ring_dequeue_sc(&owner.ring, owner.cells, &message, sizeof(M))) {
        each(message);
        count++;
      }
      return count;
    }
  };
};

template <class M>
using Single = CkRing<M, false>;
template <class M>
using Many = CkRing<M, true>;

}  // namespace

const bus_peer bus::peer_ck_ring_single = bus::single<Single>("ck_ring spsc", "libck-dev");
const bus_peer bus::peer_ck_ring_many = bus::shared<Many>("ck_ring mpsc", "libck-dev", true);
