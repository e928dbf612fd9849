// SPDX-License-Identifier: Apache-2.0
// liburcu's wait-free concurrent queue: linked, many producers; the consumer splices everything at once. Nodes come
// from a ring of the producer's own, so that nothing is allocated; the consumer says how many it has passed.
#define _LGPL_SOURCE 1
#include <urcu/wfcqueue.h>

#include "peers.hpp"
#include "workloads.hpp"

namespace {

template <class M>
struct Wfcq {
  struct Cell {
    cds_wfcq_node node;
    std::uint32_t producer;
    M message;
  };
  struct alignas(128) Pool {
    std::vector<Cell> cells;
    alignas(128) std::uint64_t used = 0;
    std::uint64_t seen_free = 0;
    alignas(128) std::uint64_t passed = 0;
  };

  alignas(128) __cds_wfcq_head head;
  alignas(128) cds_wfcq_tail tail;
  std::vector<Pool> pools;

  Wfcq(std::size_t slots, std::uint32_t producers) : pools(producers) {
    __cds_wfcq_init(&head, &tail);
    for (auto &pool : pools) pool.cells.resize(slots / producers);
  }

  struct Producer {
    Wfcq *owner;
    Pool *pool;
    std::uint32_t index;
    Producer(Wfcq &owner, std::uint32_t index)
        : owner(&owner), pool(&owner.pools[index]), index(index) {}
    bool push(const M &message) {
      const std::size_t room = pool->cells.size();
      if (pool->used - pool->seen_free == room) {
        pool->seen_free = __atomic_load_n(&pool->passed, __ATOMIC_ACQUIRE);
        if (pool->used - pool->seen_free == room) return false;
      }
      Cell &cell = pool->cells[pool->used++ % room];
      cds_wfcq_node_init(&cell.node);
      cell.producer = index;
      cell.message = message;
      cds_wfcq_enqueue(__cds_wfcq_head_cast(&owner->head), &owner->tail, &cell.node);
      return true;
    }
  };

  struct Consumer {
    Wfcq &owner;
    __cds_wfcq_head head;
    cds_wfcq_tail tail;
    std::vector<std::uint64_t> passed;
    explicit Consumer(Wfcq &owner) : owner(owner), passed(owner.pools.size()) {}
    template <class F>
    std::size_t drain(F &&each) {
      __cds_wfcq_init(&head, &tail);
      if (__cds_wfcq_splice_nonblocking(__cds_wfcq_head_cast(&head), &tail,
                                        __cds_wfcq_head_cast(&owner.head), &owner.tail) !=
          CDS_WFCQ_RET_DEST_EMPTY) {
        return 0;
      }
      std::size_t count = 0;
      cds_wfcq_node *node, *next;
      __cds_wfcq_for_each_blocking_safe(__cds_wfcq_head_cast(&head), &tail, node, next) {
        const Cell &cell = *caa_container_of(node, Cell, node);
        each(cell.message);
        passed[cell.producer]++;
        // Producers get room in time, not only at the end of a long queue.
        if (++count % BUS_BATCH == 0) give_back();
      }
      give_back();
      return count;
    }
    void give_back() {
      for (std::size_t i = 0; i < passed.size(); i++) {
        __atomic_store_n(&owner.pools[i].passed, passed[i], __ATOMIC_RELEASE);
      }
    }
  };
};

}  // namespace

const bus_peer bus::peer_urcu_wfcq = bus::general<Wfcq>("urcu wfcqueue", "liburcu-dev", true);
