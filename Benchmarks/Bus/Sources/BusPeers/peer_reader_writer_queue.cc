// SPDX-License-Identifier: Apache-2.0
// moodycamel::ReaderWriterQueue: one producer, one consumer, read in place.
#include <readerwriterqueue/readerwriterqueue.h>

#include "peers.hpp"
#include "workloads.hpp"

namespace {

template <class M>
struct ReaderWriter {
  moodycamel::ReaderWriterQueue<M> queue;

  ReaderWriter(std::size_t slots, std::uint32_t) : queue(slots) {}

  struct Producer {
    ReaderWriter *owner;
    Producer(ReaderWriter &owner, std::uint32_t) : owner(&owner) {}
    bool push(const M &message) { return owner->queue.try_enqueue(message); }
  };

  struct Consumer {
    ReaderWriter &owner;
    explicit Consumer(ReaderWriter &owner) : owner(owner) {}
    template <class F>
    std::size_t drain(F &&each) {
      std::size_t count = 0;
      while (count < BUS_BATCH) {
        const M *message = owner.queue.peek();
        if (!message) break;
        each(*message);
        owner.queue.pop();
        count++;
      }
      return count;
    }
  };
};

}  // namespace

const bus_peer bus::peer_reader_writer_queue =
    bus::single<ReaderWriter>("ReaderWriterQueue", "libreaderwriterqueue-dev");
