/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/base.h: versions, status codes and the rules that every header of this ABI keeps.
 *
 *  R1  Every struct that one side hands to the other begins with uint32_t size, set by whoever fills it in to its own
 *      sizeof. A reader looks only below that size (KEMON_HAS). Fields are appended, never moved, retyped or removed.
 *      Parts of a record (kemon_str, kemon_subject, kemon_vote) and elements of arrays have no size of their own: they
 *      never change, or are read by code that is compiled with the same headers.
 *  R2  Structs hold fixed-width integers, pointers and function pointers only: no enum, bool, long, bit-field or
 *      union, and no silent padding. plugin-sdk/src/layout.c pins every size and offset.
 *  R3  What is not in kemon_host is an extension: a size-prefixed table found by an id "name/major".
 *  R4  The side that allocates frees. A pointer passed to a call is valid during that call unless its comment says more.
 *  R5  Every function names the thread that may call it, in brackets:
 *        [control]  the host's control thread; never two calls at a time for one plugin
 *        [lane]     the thread on which the event happens, or one that stands in for it when the handler has a budget;
 *                   it waits for the answer, so be quick and never block
 *        [observer] the plugin's own observer thread; it delays nobody, but a slow observer loses events (counted)
 *        [any]      any thread at any time between create and the return of destroy
 *  R6  No exception, longjmp or panic may cross the border.
 */
#ifndef KEMON_BASE_H
#define KEMON_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#include <type_traits>
#define KEMON_C_BEGIN extern "C" {
#define KEMON_C_END }
#define KEMON_TYPE_OF(p) std::remove_cv<std::remove_reference<decltype(*(p))>::type>::type
#else
#define KEMON_C_BEGIN
#define KEMON_C_END
#define KEMON_TYPE_OF(p) __typeof__(*(p))
#endif

/* Marks what a plugin exports: its entry and its manifest, nothing else. */
#define KEMON_EXPORT __attribute__((visibility("default")))

/* Tells linkers that know SHF_GNU_RETAIN to keep a section that nothing refers to. */
#ifdef __has_attribute
#if __has_attribute(retain)
#define KEMON_RETAIN __attribute__((retain))
#endif
#endif
#ifndef KEMON_RETAIN
#define KEMON_RETAIN
#endif

/* Nonzero when the struct behind p, as its maker filled it in, has field f. For events: KEMON_EVENT_HAS. */
#define KEMON_HAS(p, f) ((p)->size >= offsetof(KEMON_TYPE_OF(p), f) + sizeof((p)->f))

/* The ABI of these headers. A host serves every minor of a major it knows. */
#define KEMON_ABI_MAJOR 1u
#define KEMON_ABI_MINOR 0u
#define KEMON_ABI ((KEMON_ABI_MAJOR << 16) | KEMON_ABI_MINOR)

KEMON_C_BEGIN

/* What a call came to. Zero is success, every failure is negative. */
typedef int32_t kemon_status;
#define KEMON_OK 0
#define KEMON_E_INVALID (-1)     /* a bad argument; the host counts it as misbehaviour of the plugin */
#define KEMON_E_UNSUPPORTED (-2) /* not in this host, or not in this mode */
#define KEMON_E_NOMEM (-3)
#define KEMON_E_NOTFOUND (-4)
#define KEMON_E_STATE (-5)  /* not allowed in this state of the plugin's life */
#define KEMON_E_FULL (-6)   /* a bounded queue is full: drop or retry, never wait */
#define KEMON_E_FAILED (-7) /* see the text of the error buffer */
#define KEMON_E_DENIED (-8)       /* the capability is missing in the manifest, or was not granted */
#define KEMON_E_EXPIRED (-9)      /* decided already: resolved, timed out or cancelled */
#define KEMON_E_WRONGTHREAD (-10) /* another thread may call this */
#define KEMON_E_CONFLICT (-11)    /* two that cannot both have their way */

/* The caller's own error buffer. Nothing is shared between threads, there is no "last error". */
typedef struct kemon_error {
  uint32_t size;
  kemon_status code;
  uint32_t line, column; /* position in a text input (filter, configuration); 0 = none */
  char text[240];        /* UTF-8, NUL-terminated, cut when too long */
} kemon_error;

/* Fills in an error and returns its code. A NULL error is allowed: then only the code is returned. [any] */
static inline kemon_status kemon_fail(kemon_error *e, kemon_status code, const char *why) {
  if (e != NULL && KEMON_HAS(e, text)) {
    size_t n = strlen(why);
    if (n > sizeof e->text - 1)
      n = sizeof e->text - 1;
    e->code = code;
    memcpy(e->text, why, n);
    e->text[n] = 0;
  }
  return code;
}

KEMON_C_END
#endif
