// SPDX-License-Identifier: Apache-2.0

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntUnaryOperator;

/** A thread that stays on one core and runs one role after the other. Java has no call for that: taskset does it. */
final class PinnedThread extends Thread {
  private static final List<PinnedThread> all = new ArrayList<>();
  private final LinkedBlockingQueue<Runnable> work = new LinkedBlockingQueue<>();
  private final int cpu;

  private PinnedThread(int cpu) {
    this.cpu = cpu;
    setDaemon(true);
    start();
  }

  @Override
  public void run() {
    try {
      final String id = Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName().toString();
      final Process taskset =
          new ProcessBuilder("taskset", "-cp", Integer.toString(cpu), id)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      if (taskset.waitFor() != 0) throw new IllegalStateException("taskset failed");
      while (true) work.take().run();
    } catch (Exception error) {
      error.printStackTrace();
      System.exit(1);
    }
  }

  /** Runs the roles at the same time, started together; nanoseconds from the start to the end of the last one. */
  static long run(List<Runnable> roles, IntUnaryOperator cpu) {
    final AtomicInteger ready = new AtomicInteger(), done = new AtomicInteger();
    final long[] ends = new long[roles.size()];
    final long[] start = new long[1];
    final AtomicInteger go = new AtomicInteger();
    final List<PinnedThread> free = new ArrayList<>(all);
    for (int i = 0; i < roles.size(); i++) {
      final int role = i;
      thread(free, cpu.applyAsInt(i))
          .work
          .add(
              () -> {
                ready.incrementAndGet();
                while (go.get() == 0) Thread.yield();
                roles.get(role).run();
                ends[role] = System.nanoTime();
                done.incrementAndGet();
              });
    }
    while (ready.get() != roles.size()) Thread.yield();
    start[0] = System.nanoTime();
    go.set(1);
    try {
      while (done.get() != roles.size()) Thread.sleep(1);
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
    long end = 0;
    for (long each : ends) end = Math.max(end, each - start[0]);
    return end;
  }

  private static PinnedThread thread(List<PinnedThread> free, int cpu) {
    for (PinnedThread candidate : free) {
      if (candidate.cpu == cpu) {
        free.remove(candidate);
        return candidate;
      }
    }
    final PinnedThread made = new PinnedThread(cpu);
    all.add(made);
    return made;
  }
}
