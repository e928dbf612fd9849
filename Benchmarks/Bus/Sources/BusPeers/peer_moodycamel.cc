// SPDX-License-Identifier: Apache-2.0
// moodycamel::ConcurrentQueue: a token for every producer, bulk dequeue, no allocation while measuring.
// Each producer has a queue of its own in there: there is no order across producers.
#include <concurrentqueue/concurrentqueue.h>

#include "peers.hpp"
#include "workloads.hpp"

namespace {

template <class M>
struct Moodycamel {
  moodycamel::ConcurrentQueue<M> queue;

  std::size_t slots;

  Moodycamel(std::size_t slots, std::uint32_t producers) : queue(slots, producers, 0), slots(slots) {}

  struct Producer {
    moodycamel::ConcurrentQueue<M> *queue;
    moodycamel::ProducerToken token;
    // A producer keeps the blocks that it has had: one that comes late would find none left, and wait for ever. So each
    // may allocate until it has seen its share of the queue.
    std::size_t owed;
    Producer(Moodycamel &owner, std::uint32_t) : queue(&owner.queue), token(owner.queue), owed(owner.slots) {}
    bool push(const M &message) {
      if (owed != 0) {
        owed--;
        return queue->enqueue(token, message);
      }
      return queue->try_enqueue(token, message);
    }
  };

  struct Consumer {
    Moodycamel &owner;
    moodycamel::ConsumerToken token;
    std::unique_ptr<M[]> batch{new M[BUS_BATCH]};
    explicit Consumer(Moodycamel &owner) : owner(owner), token(owner.queue) {}
    template <class F>
    std::size_t drain(F &&each) {
      const std::size_t count = owner.queue.try_dequeue_bulk(token, batch.get(), BUS_BATCH);
      for (std::size_t i = 0; i < count; i++) each(batch[i]);
      return count;
    }
  };
};

}  // namespace

const bus_peer bus::peer_moodycamel =
    bus::general<Moodycamel>("moodycamel", "libconcurrentqueue-dev", false);
