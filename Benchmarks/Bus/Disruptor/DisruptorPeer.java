// SPDX-License-Identifier: Apache-2.0

import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.EventPoller;
import com.lmax.disruptor.InsufficientCapacityException;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The LMAX Disruptor as a contestant: one round for every line of the input,
 * "workload size producers subscribers events interval_ns cpus", answered by "total_ns p50_ns p99_ns right".
 *
 * <p>It does the same work as the peers in C++: an event is copied into the entry of the ring, the subscribers poll, look at every event's number and at a word of every cache line.
 */
public final class DisruptorPeer {
  static final int SLOTS = 4096;
  static final int BATCH = 64;
  static final int CELL_WORDS = 304 / 8;

  /** An entry of the ring: its words, or an array of its own for a record that is larger than a cell. */
  static final class Entry {
    final long[] words;
    long[] block;
    int length;
    long time;

    Entry(int words) {
      this.words = new long[words];
    }

    void fill(long[] source, int length) {
      this.length = length;
      if (length <= words.length) {
        block = null;
        System.arraycopy(source, 0, words, 0, length);
      } else {
        block = Arrays.copyOf(source, length);
      }
    }

    long number() {
      return block == null ? words[0] : block[0];
    }

    long touch() {
      final long[] from = block == null ? words : block;
      long sum = 0;
      for (int i = 7; i < length; i += 8) sum += from[i];
      return sum;
    }
  }

  final int size, producers, subscribers, events, cpus;
  final long interval;
  final int[] lengths;
  volatile boolean isRight = true;
  static volatile long touched;

  DisruptorPeer(String[] words, int[] mix) {
    size = Integer.parseInt(words[1]);
    producers = Integer.parseInt(words[2]);
    subscribers = Integer.parseInt(words[3]);
    events = Integer.parseInt(words[4]);
    interval = Long.parseLong(words[5]);
    cpus = Integer.parseInt(words[6]);
    lengths = size == 0 ? mix : new int[] {size / 8};
  }

  int cpu(int role) {
    if (role < producers) return role % cpus;
    final int spare = cpus > producers ? cpus - producers : 1;
    return cpus - 1 - (role - producers) % spare;
  }

  RingBuffer<Entry> ring() {
    final int words = size == 0 ? CELL_WORDS : size / 8;
    final BusySpinWaitStrategy waiting = new BusySpinWaitStrategy();
    return producers == 1
        ? RingBuffer.createSingleProducer(() -> new Entry(words), SLOTS, waiting)
        : RingBuffer.createMultiProducer(() -> new Entry(words), SLOTS, waiting);
  }

  /** Copies at most so many events into the ring; fewer when it is full. */
  final class Producer {
    final RingBuffer<Entry> ring;
    final long[] source = new long[8192];
    final long tag;
    final int share = events / producers;
    int event, turn;

    Producer(RingBuffer<Entry> ring, int index) {
      this.ring = ring;
      tag = (long) index << 56;
      Arrays.fill(source, 0x5a5a5a5a5a5a5a5aL);
    }

    int burst(int limit) {
      int count = 0;
      while (count < limit && event < share) {
        // next() would park the thread when another producer takes the last place.
        final long sequence;
        if (!ring.hasAvailableCapacity(1)) break;
        try {
          sequence = ring.tryNext();
        } catch (InsufficientCapacityException full) {
          break;
        }
        source[0] = tag | event++;
        final int length = lengths[turn];
        if (++turn == lengths.length) turn = 0;
        ring.get(sequence).fill(source, length);
        ring.publish(sequence);
        count++;
      }
      return count;
    }
  }

  /** Takes at most BATCH events at a time, as the library's poller does; checks them as all subscribers do. */
  final class Subscriber implements EventPoller.Handler<Entry> {
    final EventPoller<Entry> poller;
    final long[] counts = new long[16];
    final long goal = (long) (events / producers) * producers;
    long taken, mismatch, sum;
    int batch;

    Subscriber(RingBuffer<Entry> ring) {
      poller = ring.newPoller();
      ring.addGatingSequences(poller.getSequence());
    }

    @Override
    public boolean onEvent(Entry entry, long sequence, boolean isEnd) {
      final long number = entry.number();
      mismatch |= counts[(int) (number >> 56) & 15]++ ^ (number & 0xffffffffffffffL);
      sum += entry.touch();
      return ++batch < BATCH;
    }

    int drain() {
      batch = 0;
      try {
        poller.poll(this);
      } catch (Exception error) {
        throw new IllegalStateException(error);
      }
      taken += batch;
      return batch;
    }
  }

  String throughput() {
    final RingBuffer<Entry> ring = ring();
    final List<List<Producer>> producing = new ArrayList<>();
    final List<List<Subscriber>> subscribing = new ArrayList<>();
    for (int i = 0; i < cpus; i++) {
      producing.add(new ArrayList<>());
      subscribing.add(new ArrayList<>());
    }
    for (int i = 0; i < producers; i++) producing.get(cpu(i)).add(new Producer(ring, i));
    for (int i = 0; i < subscribers; i++) {
      subscribing.get(cpu(producers + i)).add(new Subscriber(ring));
    }
    final List<Runnable> roles = new ArrayList<>();
    final List<Integer> cores = new ArrayList<>();
    for (int i = 0; i < cpus; i++) {
      if (producing.get(i).isEmpty() && subscribing.get(i).isEmpty()) continue;
      final Producer[] mine = producing.get(i).toArray(new Producer[0]);
      final Subscriber[] reading = subscribing.get(i).toArray(new Subscriber[0]);
      cores.add(i);
      roles.add(() -> playInTurn(mine, reading));
    }
    return PinnedThread.run(roles, cores::get) + " 0 0 " + isRight;
  }

  void playInTurn(Producer[] mine, Subscriber[] reading) {
    final int limit = reading.length == 0 ? Integer.MAX_VALUE : BATCH;
    int turns = 0;
    for (boolean isDone = false; !isDone; ) {
      isDone = true;
      boolean isBusy = false;
      for (Producer producer : mine) {
        final int count = producer.burst(limit);
        if (count > 0) turns = 0;
        isBusy |= count == limit;
        isDone &= producer.event == producer.share;
      }
      for (Subscriber subscriber : reading) {
        isBusy |= subscriber.taken < subscriber.goal && subscriber.drain() >= BATCH;
        isDone &= subscriber.taken >= subscriber.goal;
      }
      if (isBusy) turns = 0;
      if (isBusy || isDone) continue;
      for (int i = 0; i < 1 << Math.min(turns, 5); i++) Thread.onSpinWait();
      turns++;
    }
    for (Subscriber subscriber : reading) {
      if (subscriber.mismatch != 0) isRight = false;
      touched = subscriber.sum;
    }
  }

  String pingPong() {
    final RingBuffer<Entry> requests = ring(), verdicts = ring();
    final SequenceBarrier asked = requests.newBarrier(), answered = verdicts.newBarrier();
    final Sequence decided = new Sequence(), heard = new Sequence();
    requests.addGatingSequences(decided);
    verdicts.addGatingSequences(heard);
    final long[] samples = new long[events];
    final Runnable ask =
        () -> {
          final long[] source = new long[size / 8];
          try {
            for (int i = 0; i < events; i++) {
              final long start = System.nanoTime();
              source[0] = i;
              final long sequence = requests.next();
              requests.get(sequence).fill(source, source.length);
              requests.publish(sequence);
              answered.waitFor(i);
              isRight &= verdicts.get(i).words[0] == i;
              heard.set(i);
              samples[i] = System.nanoTime() - start;
            }
          } catch (Exception error) {
            throw new IllegalStateException(error);
          }
        };
    final Runnable decide =
        () -> {
          try {
            for (int i = 0; i < events; i++) {
              asked.waitFor(i);
              final Entry entry = requests.get(i);
              final long sequence = verdicts.next();
              final Entry verdict = verdicts.get(sequence);
              verdict.words[0] = entry.number();
              verdict.words[1] = entry.touch();
              verdicts.publish(sequence);
              decided.set(i);
            }
          } catch (Exception error) {
            throw new IllegalStateException(error);
          }
        };
    return PinnedThread.run(List.of(ask, decide), this::cpu) + percentiles(samples);
  }

  String fixedRate() {
    final RingBuffer<Entry> ring = ring();
    final SequenceBarrier barrier = ring.newBarrier();
    final Sequence sequence = new Sequence();
    ring.addGatingSequences(sequence);
    final long[] samples = new long[events];
    final Runnable produce =
        () -> {
          final long[] source = new long[size / 8];
          long due = System.nanoTime();
          for (int i = 0; i < events; i++) {
            due += interval;
            source[0] = i;
            long now;
            while ((now = System.nanoTime()) < due) {}
            final long slot = ring.next();
            final Entry entry = ring.get(slot);
            entry.fill(source, source.length);
            entry.time = now;
            ring.publish(slot);
          }
        };
    final Runnable consume =
        () -> {
          try {
            for (long next = 0; next < events; ) {
              final long available = barrier.waitFor(next);
              while (next <= available) {
                final Entry entry = ring.get(next);
                samples[(int) next++] = System.nanoTime() - entry.time;
              }
              sequence.set(available);
            }
          } catch (Exception error) {
            throw new IllegalStateException(error);
          }
        };
    return PinnedThread.run(List.of(produce, consume), this::cpu) + percentiles(samples);
  }

  String percentiles(long[] samples) {
    Arrays.sort(samples);
    return " " + samples[samples.length / 2] + " " + samples[samples.length * 99 / 100] + " " + isRight;
  }

  public static void main(String[] arguments) throws Exception {
    final int[] mix =
        Arrays.stream(Files.readString(Path.of(arguments[0])).trim().split("\\s+"))
            .mapToInt(text -> Integer.parseInt(text) / 8)
            .toArray();
    final BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = input.readLine()) != null; ) {
      final String[] words = line.split(" ");
      final DisruptorPeer round = new DisruptorPeer(words, mix);
      System.out.println(
          switch (words[0]) {
            case "throughput" -> round.throughput();
            case "ping_pong" -> round.pingPong();
            case "fixed_rate" -> round.fixedRate();
            default -> throw new IllegalArgumentException(line);
          });
      System.out.flush();
    }
  }
}
