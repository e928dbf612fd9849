/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_mac.h"
#include "kernel_image_function.h"
#include "mac_gate.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(type, field, offset) _Static_assert(offsetof(type, field) == offset, #field " moved")
AT(mac_policy_conf, mpc_labelnames, 16);
AT(mac_policy_conf, mpc_labelname_count, 24);
AT(mac_policy_conf, mpc_ops, 32);
AT(mac_policy_conf, mpc_loadtime_flags, 40);
AT(mac_policy_conf, mpc_field_off, 48);
AT(mac_policy_conf, mpc_runtime_flags, 56);
AT(mac_policy_conf, mpc_list, 64);
AT(mac_policy_conf, mpc_data, 72);
_Static_assert(sizeof(mac_policy_conf) == 80, "mac_policy_conf is 80 bytes on LP64");
AT(mac_policy_list, staticmax, 12);
AT(mac_policy_list, freehint, 20);
AT(mac_policy_list, entries, 24);
_Static_assert(sizeof(struct mac_policy_list_element) == 8, "an entry is a pointer");

/* Entries that a longer list has replaced: a thread that asks static policies may still read them. */
struct retired {
  struct retired *next;
  struct mac_policy_list_element *entries;
};

struct kernel_mac {
  mac_policy_list list;
  mac_gate gate;
  kernel_mac_options options;
  uint32_t free_labels; /* a bit for each free label slot */
  bool is_late;
  struct retired *retired;
};

static _Thread_local kernel_mac *current;
static _Thread_local int32_t refusal;

/* Fields that threads without the gate read. */
#define READ(field) __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define WRITE(field, value) __atomic_store_n(&(field), value, __ATOMIC_RELEASE)

/* MARK: Life */

static bool grow(kernel_mac *mac) {
  uint32_t max = mac->list.max + mac->options.chunk;
  struct mac_policy_list_element *entries = calloc(max, sizeof *entries);
  struct retired *old = calloc(1, sizeof *old);
  if (entries == NULL || old == NULL) {
    free(entries);
    free(old);
    return false;
  }
  if (mac->list.max > 0)
    memcpy(entries, mac->list.entries, mac->list.max * sizeof *entries);
  *old = (struct retired){mac->retired, mac->list.entries};
  mac->retired = old;
  WRITE(mac->list.entries, entries);
  mac->list.max = max;
  mac->list.chunks += 1;
  return true;
}

static uint32_t all_labels(const kernel_mac *mac) {
  return mac->options.label_slots >= 32 ? UINT32_MAX : (1u << mac->options.label_slots) - 1;
}

kernel_mac *kernel_mac_create(const kernel_mac_options *options) {
  kernel_mac *mac = calloc(1, sizeof *mac);
  if (mac == NULL)
    return NULL;
  mac->options = *options;
  mac->free_labels = all_labels(mac);
  mac->is_late = true;
  mac_gate_init(&mac->gate);
  if (!grow(mac)) {
    kernel_mac_destroy(mac);
    return NULL;
  }
  return mac;
}

void kernel_mac_destroy(kernel_mac *mac) {
  for (struct retired *next, *old = mac->retired; old != NULL; old = next) {
    next = old->next;
    free(old->entries);
    free(old);
  }
  free(mac->list.entries);
  mac_gate_destroy(&mac->gate);
  free(mac);
}

void kernel_mac_restart(kernel_mac *mac) {
  mac_policy_list *list = &mac->list;
  for (uint32_t i = 0; i < list->max; i++) {
    if (list->entries[i].mpc != NULL)
      list->entries[i].mpc->mpc_runtime_flags &= ~MPC_RUNTIME_FLAG_REGISTERED;
    list->entries[i].mpc = NULL;
  }
  WRITE(list->numloaded, 0);
  WRITE(list->maxindex, 0);
  WRITE(list->staticmax, 0);
  list->freehint = 0;
  mac->free_labels = all_labels(mac);
}

void kernel_mac_set_late(kernel_mac *mac, bool is_late) { mac->is_late = is_late; }
bool kernel_mac_is_late(const kernel_mac *mac) { return mac->is_late; }
const mac_policy_list *kernel_mac_list(const kernel_mac *mac) { return &mac->list; }
bool kernel_mac_is_empty(const kernel_mac *mac) { return READ(mac->list.numloaded) == 0; }

void kernel_mac_set_ops(mac_policy_conf *mpc, const void **ops) { WRITE(mpc->mpc_ops, ops); }

kernel_mac *kernel_mac_current(void) { return current; }
kernel_mac *kernel_mac_enter(kernel_mac *mac) {
  kernel_mac *before = current;
  current = mac;
  return before;
}

int32_t kernel_mac_take_refusal(void) {
  int32_t taken = refusal;
  refusal = KERNEL_MAC_OK;
  return taken;
}

static int32_t refuse(int32_t why) {
  refusal = why;
  return KERNEL_MAC_EINVAL;
}

bool kernel_mac_exclusively(kernel_mac *mac, void (*body)(void *context), void *context) {
  if (!mac_gate_grab(&mac->gate))
    return false;
  body(context);
  mac_gate_release(&mac->gate);
  return true;
}

/* MARK: Registration */

__attribute__((format(printf, 2, 3))) static void say(kernel_mac *mac, const char *format, ...) {
  if (!mac->is_late)
    return;
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  mac->options.log(mac->options.context, line);
}

/* Tells a policy about its own life. */
static bool tell(mac_policy_conf *mpc, uint32_t slot) {
  void (*function)(mac_policy_conf *);
  const void *pointer = READ(mpc->mpc_ops)[slot];
  if (pointer == NULL)
    return false;
  memcpy(&function, &pointer, sizeof function);
  function(mpc);
  return true;
}

static int32_t missing(const mac_policy_conf *mpc, const uint32_t *handlep) {
  if (mpc == NULL || mpc->mpc_name == NULL)
    return KERNEL_MAC_NO_NAME;
  if (mpc->mpc_fullname == NULL)
    return KERNEL_MAC_NO_FULL_NAME;
  if (mpc->mpc_labelname_count > KERNEL_MAC_LABEL_NAMES)
    return KERNEL_MAC_TOO_MANY_LABELS;
  if (mpc->mpc_ops == NULL)
    return KERNEL_MAC_NO_OPS;
  return handlep == NULL ? KERNEL_MAC_NO_HANDLE : KERNEL_MAC_OK;
}

static bool is_name_taken(const mac_policy_list *list, const char *name) {
  for (uint32_t i = 0; i <= list->maxindex && i < list->max; i++) {
    const mac_policy_conf *other = list->entries[i].mpc;
    if (other != NULL && strcmp(other->mpc_name, name) == 0)
      return true;
  }
  return false;
}

/* Puts the policy into the list; the caller has the gate. Nothing has changed when this fails. */
static int32_t insert(kernel_mac *mac, mac_policy_conf *mpc, uint32_t *handlep, void *xd) {
  mac_policy_list *list = &mac->list;
  if (list->numloaded >= list->max && !grow(mac))
    return KERNEL_MAC_ENOMEM;
  if (is_name_taken(list, mpc->mpc_name))
    return KERNEL_MAC_EEXIST;
  if (mpc->mpc_field_off != NULL) {
    if (mac->free_labels == 0)
      return KERNEL_MAC_ENOMEM;
    *mpc->mpc_field_off = __builtin_ctz(mac->free_labels);
    mac->free_labels &= mac->free_labels - 1;
  }
  mpc->mpc_runtime_flags |= MPC_RUNTIME_FLAG_REGISTERED;
  if (xd != NULL)
    mpc->mpc_data = xd;

  uint32_t handle = list->freehint;
  while (list->entries[handle].mpc != NULL)
    handle += 1;
  list->freehint = handle + 1;
  *handlep = handle;
  WRITE(list->entries[handle].mpc, mpc);
  if (handle > list->maxindex)
    WRITE(list->maxindex, handle);
  /* Static policies are asked without the gate: they can never go. */
  bool never_goes = !mac->is_late || (mpc->mpc_loadtime_flags & MPC_LOADTIME_FLAG_UNLOADOK) == 0;
  if (never_goes && handle == list->staticmax)
    WRITE(list->staticmax, list->staticmax + 1);
  WRITE(list->numloaded, list->numloaded + 1);
  return 0;
}

KERNEL_FUNCTION(int32_t, mac_policy_register, (mac_policy_conf * mpc, uint32_t *handlep, void *xd)) {
  kernel_mac *mac = current;
  if (mac == NULL)
    return refuse(KERNEL_MAC_NO_KERNEL);
  int32_t why = missing(mpc, handlep);
  if (why != KERNEL_MAC_OK)
    return refuse(why);
  if (mac->is_late && (mpc->mpc_loadtime_flags & MPC_LOADTIME_FLAG_NOTLATE) != 0) {
    say(mac, "Module %s does not support late loading.", mpc->mpc_name);
    return KERNEL_MAC_EPERM;
  }
  if (!mac_gate_grab(&mac->gate))
    return refuse(KERNEL_MAC_SELF_WAIT);
  int32_t error = insert(mac, mpc, handlep, xd);
  bool has_initbsd = false;
  if (error == 0) {
    tell(mpc, mac->options.init);
    has_initbsd = mac->is_late && tell(mpc, mac->options.initbsd);
  }
  mac_gate_release(&mac->gate);
  if (error != 0)
    return error;
  /* Said when the gate is open again: whoever reads the log must not hold up those who ask. */
  say(mac, "calling mpo_policy_init for %s", mpc->mpc_name);
  if (has_initbsd)
    say(mac, "calling mpo_policy_initbsd for %s", mpc->mpc_name);
  say(mac, "Security policy loaded: %s (%s)", mpc->mpc_fullname, mpc->mpc_name);
  return 0;
}

static void take_out(kernel_mac *mac, uint32_t handle, mac_policy_conf *mpc) {
  mac_policy_list *list = &mac->list;
  WRITE(list->entries[handle].mpc, NULL);
  WRITE(list->numloaded, list->numloaded - 1);
  if (handle < list->freehint)
    list->freehint = handle;
  uint32_t top = list->maxindex;
  while (top > 0 && list->entries[top].mpc == NULL)
    top -= 1;
  WRITE(list->maxindex, top);
  if (mpc->mpc_field_off != NULL && *mpc->mpc_field_off >= 0 && *mpc->mpc_field_off < 32)
    mac->free_labels |= 1u << *mpc->mpc_field_off;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, mac_policy_unregister, (uint32_t handle)) {
  kernel_mac *mac = current;
  if (mac == NULL)
    return refuse(KERNEL_MAC_NO_KERNEL);
  if (!mac_gate_grab(&mac->gate))
    return refuse(KERNEL_MAC_SELF_WAIT);
  mac_policy_conf *mpc = handle < mac->list.max ? mac->list.entries[handle].mpc : NULL;
  int32_t error = 0;
  bool is_gone = false;
  if (mpc == NULL) {
    error = refuse(KERNEL_MAC_BAD_HANDLE);
  } else if ((mpc->mpc_runtime_flags & MPC_RUNTIME_FLAG_REGISTERED) == 0) {
    /* Nothing to do: the kernel calls that success. */
  } else if ((mpc->mpc_loadtime_flags & MPC_LOADTIME_FLAG_UNLOADOK) == 0) {
    error = KERNEL_MAC_EBUSY;
  } else {
    take_out(mac, handle, mpc);
    tell(mpc, mac->options.destroy);
    mpc->mpc_runtime_flags &= ~MPC_RUNTIME_FLAG_REGISTERED;
    is_gone = true;
  }
  mac_gate_release(&mac->gate);
  if (is_gone)
    say(mac, "Security policy unload: %s (%s)", mpc->mpc_fullname, mpc->mpc_name);
  return error;
}

/* MARK: Asking */

/* An operation without structs by value: the conventions of C pass each argument as a word, and leave alone what the
 * callee does not take. */
static int32_t call_plain(const void *function, const uint64_t w[KERNEL_MAC_WORDS]) {
  int32_t (*operation)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                       uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
  memcpy(&operation, &function, sizeof operation);
  return operation(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12], w[13], w[14], w[15]);
}

struct question {
  kernel_mac *mac;
  uint32_t slot;
  bool is_plain;
  int32_t rule;
  const uint64_t *words;
};

/* Asks the policies first ... end - 1; false when nobody else is to be asked. */
static bool ask(const struct question *q, uint32_t first, uint32_t end, int32_t *answer) {
  const struct mac_policy_list_element *entries = READ(q->mac->list.entries);
  for (uint32_t i = first; i < end; i++) {
    mac_policy_conf *mpc = READ(entries[i].mpc);
    if (mpc == NULL)
      continue;
    const void *function = READ(mpc->mpc_ops)[q->slot];
    if (function == NULL)
      continue;
    int32_t result = q->is_plain
                         ? call_plain(function, q->words)
                         : q->mac->options.call(q->mac->options.context, q->slot, function, q->words);
    bool goes_on = true;
    *answer = kernel_mac_combine(q->rule, *answer, result, &goes_on);
    if (!goes_on)
      return false;
  }
  return true;
}

int32_t kernel_mac_ask(kernel_mac *mac, uint32_t slot, bool is_plain, int32_t rule,
                       const uint64_t words[KERNEL_MAC_WORDS]) {
  struct question question = {mac, slot, is_plain, rule, words};
  int32_t answer = kernel_mac_begin(rule);
  kernel_mac *before = kernel_mac_enter(mac);
  uint32_t fixed = READ(mac->list.staticmax);
  if (ask(&question, 0, fixed, &answer) && READ(mac->list.maxindex) >= fixed) {
    mac_gate_enter(&mac->gate);
    ask(&question, fixed, READ(mac->list.maxindex) + 1, &answer);
    mac_gate_leave(&mac->gate);
  }
  kernel_mac_enter(before);
  return answer;
}
