/* SPDX-License-Identifier: Apache-2.0
 * What rings need of the processor and of the kernel: hints, asymmetric fences, waiting across processes, and whether
 * another process lives. */
#ifndef CKEMON_RING_H
#define CKEMON_RING_H
#include <stddef.h>
#include <stdint.h>

/* Tells the processor that the caller spins. Any thread. */
static inline void ckemon_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

/* Keeps the compiler, not the processor, from moving accesses to memory across. */
static inline void ckemon_compiler_barrier(void) { __asm__ volatile("" ::: "memory"); }

/* Half of an asymmetric fence: on x86-64 free, because the other half is ckemon_barrier_everywhere; elsewhere the
 * compiler barrier is enough for the same reason. */
static inline void ckemon_light_fence(void) { ckemon_compiler_barrier(); }

/* Asks for the cache line at p in the state in which it can be written. Never faults. */
static inline void ckemon_prefetch_for_write(const void *p) {
#if defined(__x86_64__)
  __asm__ volatile("prefetchw %0" ::"m"(*(const char *)p));
#else
  __builtin_prefetch(p, 1, 3);
#endif
}

/* Prepares ckemon_barrier_everywhere for this process. 1 when the kernel can do it, 0 otherwise. Any thread. */
int ckemon_barrier_prepare(void);

/* The other half: returns after every running thread of this process has passed a full memory barrier. Any thread,
 * after ckemon_barrier_prepare has returned 1. */
void ckemon_barrier_everywhere(void);

/* Sleeps while *word == expected, at most timeout_ns nanoseconds, also when other processes wait on the word; may
 * return early. 0 when woken, or -errno. Any thread. */
int ckemon_futex_wait_shared(const void *word, uint32_t expected, uint64_t timeout_ns);

/* Wakes every thread of every process that waits on word. Any thread. */
void ckemon_futex_wake_all_shared(const void *word);

/* Forbids that a file in memory changes its size; writing stays allowed. 0 or -errno. */
int ckemon_memfd_seal_size(int fd);

/* Forbids that a file in memory changes its size, and that it is written to except through what is mapped now. 0 or
 * -errno. */
int ckemon_memfd_seal_for_mapped(int fd);

/* Whether the size of a file is sealed: 1 or 0, or -errno when the descriptor cannot say. */
int ckemon_memfd_size_is_sealed(int fd);

/* A descriptor that stands for a process, close-on-exec, or -errno. */
int ckemon_pidfd_open(int pid);

/* Whether the process of a pidfd has ended: 1 or 0. Any thread. */
int ckemon_pidfd_has_ended(int pidfd);

/* Maps `size` bytes of a file that several processes share, readable
 * and writable. NULL on failure, then *error is errno. */
void *ckemon_map_shared(int fd, size_t size, int *error);

/* Memory of this process alone, zeroed, given by the kernel page by page when it is touched. NULL on failure. */
void *ckemon_map_private(size_t size, int *error);

/* Gives a mapping back. */
void ckemon_unmap(void *address, size_t size);
#endif
