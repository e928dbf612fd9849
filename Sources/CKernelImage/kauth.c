/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "kernel_kauth.h"
#include "kernel_errno.h"
#include "kernel_files.h"
#include "kernel_image_function.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Listeners and scopes stay in memory until the kernel goes: somebody may be inside one that was removed, as in XNU,
 * but never in memory that is something else by now. */
struct kernel_kauth_listener {
  kernel_kauth_listener *next; /* of all */
  kernel_kauth_callback callback;
  void *idata;
  kernel_kauth_scope *scope; /* NULL while it waits for its scope */
  char *identifier;
  int is_gone;
};

struct kernel_kauth_scope {
  kernel_kauth_scope *next;
  char *identifier;
  kernel_kauth_callback callback;
  void *idata;
  _Atomic(kernel_kauth_listener *) slots[KERNEL_KAUTH_SLOTS];
  atomic_uint limit; /* no slot from here on was ever taken */
  atomic_uint count;
};

struct kernel_kauth {
  pthread_mutex_t lock; /* of the lists and of who is in which slot; never held while somebody is asked */
  kernel_kauth_scope *scopes;
  kernel_kauth_listener *listeners;
  kernel_kauth_scope *builtin[KERNEL_KAUTH_BUILTIN_SCOPES];
};

static kernel_kauth_scope *scope_named(const kernel_kauth *kauth, const char *identifier) {
  for (kernel_kauth_scope *scope = kauth->scopes; scope; scope = scope->next)
    if (strcmp(scope->identifier, identifier) == 0)
      return scope;
  return NULL;
}

static kernel_kauth_scope *scope_create(kernel_kauth *kauth, const char *identifier) {
  kernel_kauth_scope *scope = calloc(1, sizeof *scope);
  if (!scope)
    return NULL;
  scope->identifier = strdup(identifier);
  if (!scope->identifier) {
    free(scope);
    return NULL;
  }
  scope->next = kauth->scopes;
  kauth->scopes = scope;
  return scope;
}

/* Puts a listener into the first free slot: the order of slots is the order of calls. */
static int take_slot(kernel_kauth_scope *scope, kernel_kauth_listener *listener) {
  for (unsigned slot = 0; slot < KERNEL_KAUTH_SLOTS; slot++) {
    if (atomic_load_explicit(&scope->slots[slot], memory_order_relaxed))
      continue;
    listener->scope = scope;
    atomic_store_explicit(&scope->slots[slot], listener, memory_order_release);
    if (slot >= atomic_load_explicit(&scope->limit, memory_order_relaxed))
      atomic_store_explicit(&scope->limit, slot + 1, memory_order_release);
    atomic_fetch_add_explicit(&scope->count, 1, memory_order_release);
    return 1;
  }
  return 0;
}

kernel_kauth *kernel_kauth_create(void) {
  static const char *const names[KERNEL_KAUTH_BUILTIN_SCOPES] = {"com.apple.kauth.generic", "com.apple.kauth.process",
                                                                 "com.apple.kauth.vnode", "com.apple.kauth.fileop"};
  kernel_kauth *kauth = calloc(1, sizeof *kauth);
  if (!kauth)
    return NULL;
  pthread_mutex_init(&kauth->lock, NULL);
  for (int scope = 0; scope < KERNEL_KAUTH_BUILTIN_SCOPES; scope++) {
    kauth->builtin[scope] = scope_create(kauth, names[scope]);
    if (!kauth->builtin[scope]) {
      kernel_kauth_destroy(kauth);
      return NULL;
    }
  }
  return kauth;
}

void kernel_kauth_destroy(kernel_kauth *kauth) {
  for (kernel_kauth_scope *scope = kauth->scopes, *next; scope; scope = next) {
    next = scope->next;
    free(scope->identifier);
    free(scope);
  }
  for (kernel_kauth_listener *listener = kauth->listeners, *next; listener; listener = next) {
    next = listener->next;
    free(listener->identifier);
    free(listener);
  }
  pthread_mutex_destroy(&kauth->lock);
  free(kauth);
}

kernel_kauth_scope *kernel_kauth_scope_of(kernel_kauth *kauth, enum kernel_kauth_builtin scope) {
  return kauth->builtin[scope];
}

kernel_kauth_scope *kernel_kauth_scope_named(kernel_kauth *kauth, const char *identifier) {
  pthread_mutex_lock(&kauth->lock);
  kernel_kauth_scope *scope = scope_named(kauth, identifier);
  pthread_mutex_unlock(&kauth->lock);
  return scope;
}

void kernel_kauth_set_callback(kernel_kauth_scope *scope, kernel_kauth_callback callback, void *idata) {
  scope->callback = callback;
  scope->idata = idata;
}

uint32_t kernel_kauth_listeners(const kernel_kauth_scope *scope) {
  return atomic_load_explicit(&scope->count, memory_order_acquire);
}

KERNEL_FUNCTION(kernel_kauth_scope *, kauth_register_scope,
                (kernel_kauth * kauth, const char *identifier, kernel_kauth_callback callback, void *idata)) {
  pthread_mutex_lock(&kauth->lock);
  kernel_kauth_scope *scope = scope_named(kauth, identifier) ? NULL : scope_create(kauth, identifier);
  if (scope) {
    scope->callback = callback;
    scope->idata = idata;
    /* The list has the newest first; who waited longest comes first into the scope. */
    for (;;) {
      kernel_kauth_listener *oldest = NULL;
      for (kernel_kauth_listener *waiting = kauth->listeners; waiting; waiting = waiting->next)
        if (!waiting->scope && !waiting->is_gone && strcmp(waiting->identifier, identifier) == 0)
          oldest = waiting;
      if (!oldest || !take_slot(scope, oldest))
        break;
    }
  }
  pthread_mutex_unlock(&kauth->lock);
  return scope;
}

KERNEL_FUNCTION_PATCHABLE(kernel_kauth_listener *, kauth_listen_scope,
                          (kernel_kauth * kauth, const char *identifier, kernel_kauth_callback callback,
                           void *idata)) {
  kernel_kauth_listener *listener = calloc(1, sizeof *listener);
  char *name = strdup(identifier);
  if (!listener || !name) {
    free(listener);
    free(name);
    return NULL;
  }
  listener->identifier = name;
  listener->callback = callback;
  listener->idata = idata;
  pthread_mutex_lock(&kauth->lock);
  kernel_kauth_scope *scope = scope_named(kauth, identifier);
  const int is_full = scope && !take_slot(scope, listener);
  if (!is_full) {
    listener->next = kauth->listeners;
    kauth->listeners = listener;
  }
  pthread_mutex_unlock(&kauth->lock);
  if (!is_full)
    return listener;
  free(name);
  free(listener);
  return NULL;
}

KERNEL_FUNCTION(void, kauth_unlisten_scope, (kernel_kauth * kauth, kernel_kauth_listener *listener)) {
  pthread_mutex_lock(&kauth->lock);
  kernel_kauth_scope *scope = listener->scope;
  for (unsigned slot = 0; scope && slot < KERNEL_KAUTH_SLOTS; slot++) {
    if (atomic_load_explicit(&scope->slots[slot], memory_order_relaxed) != listener)
      continue;
    atomic_store_explicit(&scope->slots[slot], NULL, memory_order_release);
    atomic_fetch_sub_explicit(&scope->count, 1, memory_order_release);
  }
  listener->is_gone = 1;
  pthread_mutex_unlock(&kauth->lock);
}

/* The rule: everybody is asked; an answer counts when it is DENY, or when nobody has decided yet. */
KERNEL_FUNCTION_PATCHABLE(int32_t, kauth_authorize_action,
                          (kernel_kauth_scope * scope, const kernel_ucred *credential, uint32_t action, uintptr_t arg0,
                           uintptr_t arg1, uintptr_t arg2, uintptr_t arg3)) {
  int32_t result = KERNEL_KAUTH_DEFER;
  if (scope->callback)
    result = scope->callback(credential, scope->idata, action, arg0, arg1, arg2, arg3);
  const unsigned limit = atomic_load_explicit(&scope->limit, memory_order_acquire);
  for (unsigned slot = 0; slot < limit; slot++) {
    kernel_kauth_listener *listener = atomic_load_explicit(&scope->slots[slot], memory_order_acquire);
    if (!listener)
      continue;
    const int32_t answer = listener->callback(credential, listener->idata, action, arg0, arg1, arg2, arg3);
    if (answer == KERNEL_KAUTH_DENY || result == KERNEL_KAUTH_DEFER)
      result = answer;
  }
  return result == KERNEL_KAUTH_ALLOW ? 0 : KERNEL_EPERM;
}

KERNEL_FUNCTION(int32_t, kauth_authorize_generic, (const kernel_ucred *credential, uint32_t action)) {
  return kauth_authorize_action(credential->cr_kauth->builtin[KERNEL_KAUTH_SCOPE_GENERIC], credential, action, 0, 0, 0,
                                0);
}

KERNEL_FUNCTION_PATCHABLE(int32_t, kauth_authorize_process,
                          (const kernel_ucred *credential, uint32_t action, void *process, uintptr_t arg1,
                           uintptr_t arg2, uintptr_t arg3)) {
  return kauth_authorize_action(credential->cr_kauth->builtin[KERNEL_KAUTH_SCOPE_PROCESS], credential, action,
                                (uintptr_t)process, arg1, arg2, arg3);
}

int kauth_authorize_fileop_has_listeners(const kernel_ucred *credential) {
  return kernel_kauth_listeners(credential->cr_kauth->builtin[KERNEL_KAUTH_SCOPE_FILEOP]) != 0;
}

/* Listeners of these actions are given the path of the vnode; without a path they are not called at all. Whatever they
 * answer, the operation has been done or goes on. */
KERNEL_FUNCTION(int32_t, kauth_authorize_fileop,
                (const kernel_ucred *credential, uint32_t action, uintptr_t arg0, uintptr_t arg1)) {
  if (!kauth_authorize_fileop_has_listeners(credential))
    return 0;
  uintptr_t arg2 = 0;
  char path[KERNEL_MAXPATHLEN];
  if (action == KERNEL_KAUTH_FILEOP_OPEN || action == KERNEL_KAUTH_FILEOP_CLOSE ||
      action == KERNEL_KAUTH_FILEOP_EXEC || action == KERNEL_KAUTH_FILEOP_WILL_RENAME) {
    int32_t length = sizeof path;
    if (vn_getpath((kernel_vnode *)arg0, path, &length) != 0)
      return 0;
    arg2 = arg1;
    arg1 = (uintptr_t)path;
  }
  kauth_authorize_action(credential->cr_kauth->builtin[KERNEL_KAUTH_SCOPE_FILEOP], credential, action, arg0, arg1,
                         arg2, 0);
  return 0;
}
