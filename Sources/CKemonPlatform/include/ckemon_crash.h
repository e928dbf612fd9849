/* SPDX-License-Identifier: Apache-2.0
 * What is said when the process dies: in which plugin's handler, of which event. */
#ifndef CKEMON_CRASH_H
#define CKEMON_CRASH_H
#include <stdint.h>

/* Where names are found: an array of C strings behind a first word, its length. Never freed. Any thread. */
void ckemon_crash_set_plugin_names(const void *cells);
void ckemon_crash_set_handler_names(const void *cells);

/* Names of kinds by their numbers, NULL where there is none; never freed. Any thread. */
void ckemon_crash_set_kind_names(const char *const *names, uint32_t count);

/* The word that counts published events; stays mapped. Any thread. */
void ckemon_crash_set_published(const void *word);

/* The path of a file that a crash is written to, too; copied, cut at 511 bytes. Any thread, before a crash. */
void ckemon_crash_set_report(const char *path);

/* From now on the process says what it was in before it dies of SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS or SIGABRT, and dies
 * as it would have; or before it ends by exit inside a handler, with status 1. Once. 0 or -errno. */
int ckemon_crash_install(void);

/* Gives the calling thread a stack for saying so when its own is at its end; given back when the thread ends. Nothing
 * happens unless ckemon_crash_install was called before. */
void ckemon_crash_prepare_thread(void);
#endif
