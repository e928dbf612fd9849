/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/typed.h: handlers with named arguments, and services between plugins.
 *
 * A handler says by name what it wants to know, and is a plain function of C:
 *
 *   static kemon_status on_open(void *ctx, const char *path, int32_t flags, kemon_verdict *verdict);
 *
 *   handler.kind = "file.open";
 *   handler.signature = "path:z flags:i";
 *   handler.typed = (kemon_any_fn)on_open;   and handler.fn = NULL
 *
 * The first argument is kemon_handler.ctx, then come those of the signature in its order, the last is the verdict. The
 * function returns a kemon_status; both are as for kemon_handler_fn. The host finds the names when the handler is
 * registered, and refuses what does not match with line and column.
 *
 * A signature, written in letters:
 *
 *   signature  [ fields ] [ "->" type ]           the result is for services only
 *   fields     field { space or comma, field }    32 at most
 *   field      name [ "?" ] ":" type              ? = may be missing: the function gets 0 or NULL
 *
 *   c C h H i I l L    int8_t uint8_t int16_t uint16_t int32_t uint32_t int64_t uint64_t
 *   n                  size_t
 *   p                  uint64_t that is an address where the event happened: never follow it
 *   f d                float, double: numbers of the event, converted
 *   *i, *L, ...        const int32_t *, ...: the value where it lies, NULL when it is missing
 *   z                  const char *: text, NUL-terminated; "" when the event has none, NULL when the field is missing
 *   b                  const void *, size_t: two arguments, the bytes of a text, a list or raw bytes
 *   e                  const kemon_event *: the whole event; its name is "event"
 *   {iiL}              a struct by value of such members; structs inside structs are possible
 *
 * "[path:z flags:i]" is for languages that cannot make functions of any type: the function gets one array instead, a
 * word for each value in the same order and representation (b: two words, a struct: its bytes):
 *   kemon_status (*)(void *ctx, const uint64_t *words, kemon_verdict *verdict)
 * A service can be offered like that, too: "[path:z] -> i". Who finds it writes its own signature without brackets.
 *
 * Names:
 *   path, flags, ...                     the fields of the kind's payload, see payloads.h; also payload.path
 *   subject.pid, subject.exe, ...        who acts: the fields of kemon_subject
 *   event.time_ns, event.result, ...     seq corr time_ns deadline_ns kind phase flags schema result decided_by verdict
 *
 * A number is given as any type that holds each of its values: u16 as H, i, I, l, L or n, never as h. With a pattern
 * ("file.*") every kind must have every field that has no "?".
 *
 * Operations of MAC policies are named like kinds: "mac.vnode_check_signature" or "mac.vnode_check_*" is mac.op of these
 * operations, and the names are those that the kernel's header gives the arguments. Kernels insert parameters in the
 * middle of prototypes and never rename them: "flags:i signer_type?:p" is found in every one of them, whatever stands
 * in between. A struct by value is {ll} as a whole, or atime.tv_sec:l by its parts.
 *
 * Pointers live until the function returns.
 */
#ifndef KEMON_TYPED_H
#define KEMON_TYPED_H

#include "host.h"

KEMON_C_BEGIN

/* A function of the form "[...]". */
typedef kemon_status (*kemon_words_fn)(void *ctx, const uint64_t *words, kemon_verdict *verdict);

/* A service of the form "[...]": writes its result, if the signature has one, to `result`, which has room for it. What
 * words point at is the caller's, of the type's own size. */
typedef void (*kemon_words_service_fn)(void *ctx, const uint64_t *words, void *result);

/* A service of another plugin, found by `find`. It stays good until destroy has returned. */
typedef struct kemon_service kemon_service;

/* How `call` takes and a service gets type b: as two arguments there, here as one. */
typedef struct kemon_span {
  const void *data;
  size_t size;
} kemon_span;

#define KEMON_EXT_TYPED "kemon.typed/1"
typedef struct kemon_ext_typed {
  uint32_t size, reserved;
  /* Writes what a signature comes to for a kind or pattern as JSON: how the function is called ("lane": fast, ffi or
   * words), and for each kind or prototype which names are matched and which are missing. KEMON_E_FULL with the size
   * that is needed when it does not fit into `cap` bytes. [any] */
  kemon_status (*describe)(const kemon_host *h, const char *kind, const char *signature, char *out, size_t cap,
                           kemon_error *e);
  /* Offers a function to other plugins: `type fn(void *ctx, ...)` of the signature; "path:z uid:I -> i" is
   * int32_t fn(void *ctx, const char *path, uint32_t uid), without "->" it is void; of the form "[...]" it is a
   * kemon_words_service_fn. It is called by any thread, by several at a time, from now on until `stop`. The name is
   * unique in a host. [control] */
  kemon_status (*provide)(const kemon_host *h, const char *name, const char *signature, kemon_any_fn fn, void *ctx,
                          kemon_error *e);
  /* Finds a service. The signature is the caller's own: names are matched, whatever their order; types and the result
   * must be the same. "?" is what the caller can do without; what the provider can do without may be left out. List the
   * provider in `needs` of the manifest, so that it is there. [control] */
  kemon_status (*find)(const kemon_host *h, const char *name, const char *signature, const kemon_service **service,
                       kemon_error *e);
  /* Calls a service in this thread. arguments[i] points at the value of field i of the signature given to `find` (b: at
   * a kemon_span), or is NULL for one that is missing; `result` points at room for the result, or is NULL.
   * KEMON_E_NOTFOUND: its plugin has stopped. KEMON_E_STATE: a newer one has another signature, find it anew. [any] */
  kemon_status (*call)(const kemon_host *h, const kemon_service *service, void *result, void *const *arguments);
} kemon_ext_typed;

KEMON_C_END
#endif
