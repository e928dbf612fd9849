/* SPDX-License-Identifier: Apache-2.0
 * A library that is hooked and unloaded. */
__attribute__((noinline)) long library_answer(long n) { return 2 * n + 1; }
