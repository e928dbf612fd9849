// SPDX-License-Identifier: Apache-2.0

import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import com.lmax.disruptor.WaitStrategy;
import com.lmax.disruptor.YieldingWaitStrategy;
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
 * <p>It does the same work as the peers in C++: an event is copied into the entry of the ring, the subscribers run the
 * loop of BatchEventProcessor, look at every event's number and at a word of every cache line.
 */
public final class DisruptorPeer {
  static final int SLOTS = 4096;
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
  final boolean isShared;
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
    isShared = producers + subscribers > cpus;
    lengths = size == 0 ? mix : new int[] {size / 8};
  }

  int cpu(int role) {
    if (role < producers) return role % cpus;
    final int spare = cpus > producers ? cpus - producers : 1;
    return cpus - 1 - (role - producers) % spare;
  }

  RingBuffer<Entry> ring() {
    final int words = size == 0 ? CELL_WORDS : size / 8;
    final WaitStrategy waiting = isShared ? new YieldingWaitStrategy() : new BusySpinWaitStrategy();
    return producers == 1
        ? RingBuffer.createSingleProducer(() -> new Entry(words), SLOTS, waiting)
        : RingBuffer.createMultiProducer(() -> new Entry(words), SLOTS, waiting);
  }

  /** Waits for room without parking the thread, as next() would for a while. */
  long claim(RingBuffer<Entry> ring) {
    while (!ring.hasAvailableCapacity(1)) {
      if (isShared) Thread.yield();
      else Thread.onSpinWait();
    }
    return ring.next();
  }

  void produce(RingBuffer<Entry> ring, int index) {
    final long[] source = new long[8192];
    Arrays.fill(source, 0x5a5a5a5a5a5a5a5aL);
    final int share = events / producers;
    int turn = 0;
    for (int i = 0; i < share; i++) {
      source[0] = ((long) index << 56) | i;
      final int length = lengths[turn];
      if (++turn == lengths.length) turn = 0;
      final long sequence = claim(ring);
      ring.get(sequence).fill(source, length);
      ring.publish(sequence);
    }
  }

  void consume(RingBuffer<Entry> ring, SequenceBarrier barrier, Sequence sequence) {
    final long[] counts = new long[16];
    boolean isRight = true;
    long sum = 0;
    final long goal = (long) (events / producers) * producers;
    long next = 0;
    try {
      while (next < goal) {
        final long available = barrier.waitFor(next);
        while (next <= available) {
          final Entry entry = ring.get(next++);
          final long number = entry.number();
          isRight &= counts[(int) (number >> 56) & 15]++ == (number & 0xffffffffffffffL);
          sum += entry.touch();
        }
        sequence.set(available);
      }
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
    touched = sum;
    if (!isRight) this.isRight = false;
  }

  String throughput() {
    final RingBuffer<Entry> ring = ring();
    final SequenceBarrier barrier = ring.newBarrier();
    final List<Runnable> roles = new ArrayList<>();
    for (int i = 0; i < producers; i++) {
      final int index = i;
      roles.add(() -> produce(ring, index));
    }
    for (int i = 0; i < subscribers; i++) {
      final Sequence sequence = new Sequence();
      ring.addGatingSequences(sequence);
      roles.add(() -> consume(ring, barrier, sequence));
    }
    return PinnedThread.run(roles, this::cpu) + " 0 0 " + isRight;
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
