// SPDX-License-Identifier: Apache-2.0
// boost::lockfree: spsc_queue read in place with consume_all, and the queue for many producers.
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>

#include "peers.hpp"
#include "workloads.hpp"

namespace {

template <class M>
struct Spsc {
  boost::lockfree::spsc_queue<M> queue;

  Spsc(std::size_t slots, std::uint32_t) : queue(slots) {}

  struct Producer {
    Spsc *owner;
    Producer(Spsc &owner, std::uint32_t) : owner(&owner) {}
    bool push(const M &message) { return owner->queue.push(message); }
  };

  struct Consumer {
    Spsc &owner;
    explicit Consumer(Spsc &owner) : owner(owner) {}
    template <class F>
    std::size_t drain(F &&each) {
      return owner.queue.consume_all([&](M &message) { each(message); });
    }
  };
};

/// Its elements must be trivial, so that the mix travels as pointers to the records, as users of this queue do.
template <class M>
struct Many {
  static constexpr bool is_pointer = M::is_mixed;
  using Element = std::conditional_t<is_pointer, M *, M>;
  boost::lockfree::queue<Element, boost::lockfree::fixed_sized<true>> queue;

  Many(std::size_t slots, std::uint32_t) : queue(slots) {}

  struct Producer {
    Many *owner;
    M *waiting = nullptr;
    Producer(Many &owner, std::uint32_t) : owner(&owner) {}
    bool push(const M &message) {
      if constexpr (is_pointer) {
        if (!waiting) waiting = new M(message);
        if (!owner->queue.bounded_push(waiting)) return false;
        waiting = nullptr;
        return true;
      } else {
        return owner->queue.bounded_push(message);
      }
    }
  };

  struct Consumer {
    Many &owner;
    explicit Consumer(Many &owner) : owner(owner) {}
    template <class F>
    std::size_t drain(F &&each) {
      std::size_t count = 0;
      const auto take = [&](Element element) {
        if constexpr (is_pointer) {
          each(*element);
          delete element;
        } else {
          each(element);
        }
      };
      while (count < BUS_BATCH && owner.queue.consume_one(take)) count++;
      return count;
    }
  };
};

}  // namespace

const bus_peer bus::peer_boost_spsc =
    bus::single<Spsc>("boost spsc_queue", "libboost-dev");
const bus_peer bus::peer_boost_queue =
    bus::shared<Many>("boost queue", "libboost-dev", true);
