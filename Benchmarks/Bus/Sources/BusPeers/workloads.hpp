// SPDX-License-Identifier: Apache-2.0
// The workloads, written once over what an adapter offers:
//
//   template <class M> struct Adapter {
//     Adapter(std::size_t slots, std::uint32_t producers);
//     struct Producer { Producer(Adapter &, std::uint32_t index); bool push(const M &); };   // false = full
//     struct Consumer { Consumer(Adapter &); template <class F> std::size_t drain(F &&); };  // F(const M &)
//   };
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "bench.h"
#include "bus_peers.h"
#include "message.hpp"

namespace bus {

/// Makes the events of one producer: in its own memory, ready but for their number.
template <class M>
class Source {
 public:
  explicit Source(const bus_load &load) : load_(load) { std::memset(record_, 0x5a, sizeof record_); }

  M &next(std::uint64_t number) {
    if constexpr (M::is_mixed) {
      message_.size = load_.sizes[turn_];
      if (++turn_ == load_.sizes_count) turn_ = 0;
      record_[0] = number;
      renew_block();
    }
    message_.set_number(number);
    return message_;
  }

  const M &message() const { return message_; }

  /// A block of its own for another queue: every reader frees what it read.
  void renew_block() {
    if constexpr (M::is_mixed) {
      message_.block = message_.size > BUS_CELL_BYTES ? make_block(record_, message_.size) : nullptr;
    }
  }

 private:
  const bus_load &load_;
  std::uint32_t turn_ = 0;
  M message_{};
  std::uint64_t record_[65536 / 8];
};

template <class M>
inline void release(const M &message) {
  if constexpr (M::is_mixed) std::free(message.block);
}

/// Checks what a subscriber sees of each producer: none is missing, none comes twice, and the order is right.
class Checker {
 public:
  /// Numbers carry the producer in their top bits.
  static std::uint64_t number(std::uint32_t producer, std::uint64_t event) {
    return (std::uint64_t{producer} << 56) | event;
  }

  /// What a batch adds up in registers.
  struct Batch {
    std::uint64_t mismatch = 0, touched = 0;
  };

  template <class M>
  void see(const M &message, Batch &batch) {
    const std::uint64_t number = message.number();
    Seen &seen = seen_[number >> 56 & 15];
    const std::uint64_t event = number & ((std::uint64_t{1} << 56) - 1);
    batch.mismatch |= seen.count++ ^ event;
    seen.sum += event;
    batch.touched += message.touch();
  }

  void add(const Batch &batch) {
    mismatch_ |= batch.mismatch;
    touched_ += batch.touched;
  }

  bool is_ordered() const { return mismatch_ == 0; }
  bool is_complete(std::uint32_t producers, std::uint64_t share) const {
    bool is_complete = true;
    for (std::uint32_t i = 0; i < producers; i++) {
      is_complete &= seen_[i].count == share && seen_[i].sum == share * (share - 1) / 2;
    }
    return is_complete;
  }
  std::uint64_t touched() const { return touched_; }

 private:
  struct Seen {
    std::uint64_t count = 0, sum = 0;
  };
  Seen seen_[16];
  std::uint64_t touched_ = 0;
  std::uint64_t mismatch_ = 0;
};

/// One producer at work: it can be asked for a burst, or to go on to the end.
template <class Queue, class M>
class ProducerRole {
 public:
  ProducerRole(const bus_load &load, std::vector<std::unique_ptr<Queue>> &queues, std::uint32_t index)
      : source_(load), index_(index), share_(load.events / load.producers) {
    handles_.reserve(queues.size());
    for (auto &queue : queues) handles_.emplace_back(*queue, index);
  }

  bool is_done() const { return event_ == share_; }

  /// Hands over at most so many events; fewer when a queue is full. Returns how many.
  std::size_t burst(std::size_t limit) {
    std::size_t count = 0;
    while (count < limit && event_ < share_) {
      if (sent_ == 0) source_.next(Checker::number(index_, event_));
      while (sent_ < handles_.size()) {
        if (!handles_[sent_].push(source_.message())) return count;
        if (++sent_ < handles_.size()) source_.renew_block();
      }
      sent_ = 0;
      event_++;
      count++;
    }
    return count;
  }

 private:
  Source<M> source_;
  std::vector<typename Queue::Producer> handles_;
  std::uint32_t index_;
  std::uint64_t event_ = 0, share_;
  /// Queues that have the current event already.
  std::size_t sent_ = 0;
};

/// One subscriber at work.
template <class Queue, class M>
class ConsumerRole {
 public:
  ConsumerRole(const bus_load &load, Queue &queue)
      : consumer_(queue), goal_(std::uint64_t{load.events / load.producers} * load.producers) {}

  bool is_done() const { return taken_ >= goal_; }

  std::size_t drain() {
    Checker::Batch batch;
    const std::size_t count = consumer_.drain([&](const M &message) {
      checker_.see(message, batch);
      release(message);
    });
    checker_.add(batch);
    taken_ += count;
    return count;
  }

  const Checker &checker() const { return checker_; }

 private:
  typename Queue::Consumer consumer_;
  Checker checker_;
  std::uint64_t taken_ = 0, goal_;
};

/// Producers and subscribers at full speed, a thread for each core: a thread with several roles plays them in turn.
template <template <class> class Adapter, class M>
struct Throughput {
  using Queue = Adapter<M>;
  const bus_load &load;
  std::vector<std::unique_ptr<Queue>> queues;
  std::atomic<bool> is_right{true}, is_ordered{true};
  std::atomic<std::uint64_t> touched{0};

  explicit Throughput(const bus_load &load) : load(load) {
    for (std::uint32_t i = 0; i < load.subscribers; i++) {
      queues.push_back(std::make_unique<Queue>(BUS_SLOTS, load.producers));
    }
  }

  static void work(void *raw, std::uint32_t cpu) {
    auto &self = *static_cast<Throughput *>(raw);
    const bus_load &load = self.load;
    std::vector<std::unique_ptr<ProducerRole<Queue, M>>> producers;
    std::vector<std::unique_ptr<ConsumerRole<Queue, M>>> consumers;
    for (std::uint32_t i = 0; i < load.producers + load.subscribers; i++) {
      if (bus_cpu(&load, i) != static_cast<int>(cpu)) continue;
      if (i < load.producers) {
        producers.push_back(std::make_unique<ProducerRole<Queue, M>>(load, self.queues, i));
      } else {
        Queue &queue = *self.queues[i - load.producers];
        consumers.push_back(std::make_unique<ConsumerRole<Queue, M>>(load, queue));
      }
    }
    const std::size_t limit = consumers.empty() ? BUS_ENDLESS : BUS_BATCH;
    std::uint32_t turns = 0;
    for (bool is_done = false; !is_done;) {
      is_done = true;
      bool is_busy = false;
      for (auto &producer : producers) {
        const std::size_t count = producer->burst(limit);
        if (count > 0) turns = 0;
        is_busy |= count == limit;
        is_done &= producer->is_done();
      }
      for (auto &consumer : consumers) {
        is_busy |= !consumer->is_done() && consumer->drain() >= BUS_BATCH;
        is_done &= consumer->is_done();
      }
      if (is_busy) turns = 0;
      if (!is_busy && !is_done) bench_relax(&turns);
    }
    for (auto &consumer : consumers) {
      const Checker &checker = consumer->checker();
      if (!checker.is_complete(load.producers, load.events / load.producers)) self.is_right = false;
      if (!checker.is_ordered()) self.is_ordered = false;
      self.touched = checker.touched();
    }
  }

  static bus_result run(const bus_load &load) {
    auto self = std::make_unique<Throughput>(load);
    std::vector<bench_role> roles;
    for (std::uint32_t cpu = 0; cpu < load.cpus; cpu++) {
      if (bus_has_role(&load, cpu)) roles.push_back({work, self.get(), cpu, static_cast<int>(cpu)});
    }
    const double total = bench_team_run(roles.data(), roles.size());
    return {total, 0, 0, self->is_right && total > 0, self->is_ordered};
  }
};

/// A request with an event, and a verdict that comes back by a queue of its own.
template <template <class> class Adapter, class M>
struct PingPong {
  using Verdict = Fixed<16>;
  const bus_load &load;
  Adapter<M> requests{BUS_SLOTS, 1};
  Adapter<Verdict> verdicts{BUS_SLOTS, 1};
  std::vector<std::uint32_t> samples;
  bool is_right = true;

  explicit PingPong(const bus_load &load) : load(load), samples(load.events) {}

  static void ask(void *raw, std::uint32_t) {
    auto &self = *static_cast<PingPong *>(raw);
    typename Adapter<M>::Producer producer(self.requests, 0);
    typename Adapter<Verdict>::Consumer consumer(self.verdicts);
    Source<M> source(self.load);
    for (std::uint32_t i = 0; i < self.load.events; i++) {
      const std::uint64_t start = bench_ticks();
      while (!producer.push(source.next(i))) bench_pause();
      std::uint64_t answer = ~std::uint64_t{0};
      while (consumer.drain([&](const Verdict &verdict) { answer = verdict.number(); }) == 0) {}
      self.samples[i] = bench_ticks_since(start);
      self.is_right &= answer == i;
    }
  }

  static void decide(void *raw, std::uint32_t) {
    auto &self = *static_cast<PingPong *>(raw);
    typename Adapter<M>::Consumer consumer(self.requests);
    typename Adapter<Verdict>::Producer producer(self.verdicts, 0);
    Verdict verdict{};
    for (std::uint32_t i = 0; i < self.load.events;) {
      i += consumer.drain([&](const M &message) {
        verdict.words[0] = message.number();
        verdict.words[1] = message.touch();
        release(message);
        while (!producer.push(verdict)) bench_pause();
      });
    }
  }

  static bus_result run(const bus_load &load) {
    auto self = std::make_unique<PingPong>(load);
    const bench_role roles[] = {{ask, self.get(), 0, bus_cpu(&load, 0)},
                                {decide, self.get(), 1, bus_cpu(&load, 1)}};
    const double total = bench_team_run(roles, 2);
    const double tick = bench_ns_per_tick();
    return {total, bench_percentile(self->samples.data(), load.events, 0.5) * tick,
            bench_percentile(self->samples.data(), load.events, 0.99) * tick, self->is_right, true};
  }
};

/// One way at a fixed rate: an event carries the time at which it was handed over.
template <template <class> class Adapter, class M>
struct FixedRate {
  const bus_load &load;
  Adapter<M> queue{BUS_SLOTS, 1};
  std::vector<std::uint32_t> samples;

  explicit FixedRate(const bus_load &load) : load(load), samples(load.events) {}

  static void produce(void *raw, std::uint32_t) {
    auto &self = *static_cast<FixedRate *>(raw);
    typename Adapter<M>::Producer producer(self.queue, 0);
    Source<M> source(self.load);
    const auto interval = static_cast<std::uint64_t>(self.load.interval_ns / bench_ns_per_tick());
    std::uint64_t due = bench_ticks();
    for (std::uint32_t i = 0; i < self.load.events; i++) {
      due += interval;
      M &message = source.next(i);
      while (bench_ticks() < due) {}
      message.words[1] = bench_ticks();
      while (!producer.push(message)) bench_pause();
    }
  }

  static void consume(void *raw, std::uint32_t) {
    auto &self = *static_cast<FixedRate *>(raw);
    typename Adapter<M>::Consumer consumer(self.queue);
    for (std::uint32_t i = 0; i < self.load.events;) {
      consumer.drain([&](const M &message) {
        self.samples[i++] = bench_ticks_since(message.words[1]);
      });
    }
  }

  static bus_result run(const bus_load &load) {
    auto self = std::make_unique<FixedRate>(load);
    const bench_role roles[] = {{produce, self.get(), 0, bus_cpu(&load, 0)},
                                {consume, self.get(), 1, bus_cpu(&load, 1)}};
    const double total = bench_team_run(roles, 2);
    const double tick = bench_ns_per_tick();
    return {total, bench_percentile(self->samples.data(), load.events, 0.5) * tick,
            bench_percentile(self->samples.data(), load.events, 0.99) * tick, total > 0, true};
  }
};

/// Runs a workload with the message type of the load's size.
template <template <class> class Adapter, template <template <class> class, class> class Workload>
bus_result of_any_size(const bus_load *load) {
  switch (load->size) {
    case 64: return Workload<Adapter, Fixed<64>>::run(*load);
    case 128: return Workload<Adapter, Fixed<128>>::run(*load);
    case 256: return Workload<Adapter, Fixed<256>>::run(*load);
    case BUS_SIZE_MIX: return Workload<Adapter, Variable>::run(*load);
    default: return {};
  }
}

/// Latency is measured with events of fixed sizes only.
template <template <class> class Adapter, template <template <class> class, class> class Workload>
bus_result of_fixed_size(const bus_load *load) {
  switch (load->size) {
    case 64: return Workload<Adapter, Fixed<64>>::run(*load);
    case 128: return Workload<Adapter, Fixed<128>>::run(*load);
    case 256: return Workload<Adapter, Fixed<256>>::run(*load);
    default: return {};
  }
}

/// A peer for one producer and one consumer.
template <template <class> class Adapter>
constexpr bus_peer single(const char *name, const char *package) {
  return {name,
          package,
          true,
          of_any_size<Adapter, Throughput>,
          of_any_size<Adapter, Throughput>,
          nullptr,
          of_fixed_size<Adapter, PingPong>,
          of_fixed_size<Adapter, FixedRate>};
}

/// A peer for many producers, measured in their mode only.
template <template <class> class Adapter>
constexpr bus_peer shared(const char *name, const char *package, bool keeps_order) {
  return {name,    package, keeps_order, nullptr, nullptr, of_any_size<Adapter, Throughput>,
          nullptr, nullptr};
}

/// A peer that is made for many producers and used for one as well.
template <template <class> class Adapter>
constexpr bus_peer general(const char *name, const char *package, bool keeps_order) {
  bus_peer peer = single<Adapter>(name, package);
  peer.keeps_order = keeps_order;
  peer.fan_in = of_any_size<Adapter, Throughput>;
  return peer;
}

}  // namespace bus
