// SPDX-License-Identifier: Apache-2.0
// atomic_queue::AtomicQueue2, its queue for elements that are no atomic words: SPSC mode for one producer, the default
// mode for many. Elements are popped one by one. When a producer is preempted between its claim and its write for as
// long as the queue takes to come round, two producers write to one cell in any order: with more threads than cores
// the events of one producer do come out of order, so that it does not count among the queues that keep it.
#include <atomic_queue/atomic_queue.h>

#include "peers.hpp"
#include "workloads.hpp"

namespace {

template <class M, bool is_many>
struct AtomicQueue {
  atomic_queue::AtomicQueue2<M, BUS_SLOTS, true, true, is_many, !is_many> queue;

  AtomicQueue(std::size_t, std::uint32_t) {}

  struct Producer {
    AtomicQueue *owner;
    Producer(AtomicQueue &owner, std::uint32_t) : owner(&owner) {}
    bool push(const M &message) { return owner->queue.try_push(message); }
  };

  struct Consumer {
    AtomicQueue &owner;
    M message{};
    explicit Consumer(AtomicQueue &owner) : owner(owner) {}
    template <class F>
    std::size_t drain(F &&each) {
      std::size_t count = 0;
      while (count < BUS_BATCH && owner.queue.try_pop(message)) {
        each(message);
        count++;
      }
      return count;
    }
  };
};

template <class M>
using Single = AtomicQueue<M, false>;
template <class M>
using Many = AtomicQueue<M, true>;

}  // namespace

const bus_peer bus::peer_atomic_queue_single =
    bus::single<Single>("atomic_queue spsc", "libatomic-queue-dev");
const bus_peer bus::peer_atomic_queue_many =
    bus::shared<Many>("atomic_queue mpmc", "libatomic-queue-dev", false);
