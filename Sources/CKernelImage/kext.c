/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_image_function.h"
#include <string.h>

#define AT(field, offset) _Static_assert(offsetof(kernel_kmod_info, field) == offset, #field " moved")
AT(next, 0);
AT(info_version, 8);
AT(id, 12);
AT(name, 16);
AT(version, 80);
AT(reference_count, 144);
AT(reference_list, 148);
AT(address, 156);
AT(size, 164);
AT(hdr_size, 172);
AT(start, KERNEL_IMAGE_KMOD_START);
AT(stop, 188);
_Static_assert(sizeof(kernel_kmod_info) == 196, "kmod_info is 196 bytes on LP64");

/* The methods that OSKext_start calls. */
struct methods {
  int32_t (*prepare)(kernel_oskext *kext, bool start_dependencies);
  int32_t (*start_failed)(kernel_oskext *kext, int32_t result);
};
_Static_assert(offsetof(struct methods, prepare) == KERNEL_IMAGE_METHOD_PREPARE, "prepare moved");
_Static_assert(offsetof(struct methods, start_failed) == KERNEL_IMAGE_METHOD_START_FAILED, "start_failed moved");

/* What lies at KERNEL_IMAGE_OSKEXT_DATA: the second argument of the start routine, and what the kernel notes. */
struct state {
  kernel_kext_body *body;
  bool started, loaded;
  uint8_t gate;
  int32_t start_result;
  const kernel_oskext_facts *facts;
  const kernel_oskext *blocker;
};
_Static_assert(offsetof(struct state, started) == KERNEL_IMAGE_OSKEXT_STARTED - KERNEL_IMAGE_OSKEXT_DATA, "moved");
_Static_assert(KERNEL_IMAGE_OSKEXT_DATA + sizeof(struct state) <= sizeof(kernel_oskext), "an OSKext is too small");

static struct state *state_of(const kernel_oskext *kext) {
  return (struct state *)((char *)(uintptr_t)kext + KERNEL_IMAGE_OSKEXT_DATA);
}

static void *pointer_at(const void *object, size_t offset) {
  void *value;
  memcpy(&value, (const char *)object + offset, sizeof value);
  return value;
}

static void set_pointer_at(void *object, size_t offset, const void *value) {
  memcpy((char *)object + offset, &value, sizeof value);
}

static int32_t stopped_at(struct state *state, uint8_t gate, int32_t result) {
  state->gate = gate;
  return result;
}

/* OSKext::validateKextMapping: the start routine must lie inside the kext, behind its headers. */
static bool is_mapped(const kernel_oskext_facts *facts) {
  const kernel_kmod_info *info = &facts->memory->info;
  return facts->start_address >= info->address + info->hdr_size && facts->start_address - info->address < info->size;
}

/* Starts the dependencies that are not, or says that one is not; notes which stood in the way. */
static int32_t start_dependencies_of(struct state *state, bool start_them) {
  const kernel_oskext_facts *facts = state->facts;
  for (size_t i = 0; i < facts->dependency_count; i++) {
    kernel_oskext *dependency = facts->dependencies[i];
    if (state_of(dependency)->started)
      continue;
    int32_t result = KERNEL_KEXT_RETURN_START_STOP_ERROR;
    if (start_them)
      result = kernel_image_call_oskext_start(facts->start, dependency, true);
    if (result != KERNEL_KEXT_RETURN_SUCCESS) {
      state->blocker = dependency;
      return result;
    }
  }
  return KERNEL_KEXT_RETURN_SUCCESS;
}

/* The gates of OSKext::start in their order, and the C++ constructors: the first code of a kext that runs. */
static int32_t prepare(kernel_oskext *kext, bool start_dependencies) {
  struct state *state = state_of(kext);
  const kernel_oskext_facts *facts = state->facts;
  state->started = false;
  kernel_oskext_forget(kext);
  if (!state->loaded)
    return stopped_at(state, KERNEL_KEXT_GATE_NOT_LOADED, KERNEL_KEXT_RETURN_INVALID_ARGUMENT);
  if (!facts->load_enabled)
    return stopped_at(state, KERNEL_KEXT_GATE_DISABLED, KERNEL_KEXT_RETURN_DISABLED);
  if (!is_mapped(facts))
    return stopped_at(state, KERNEL_KEXT_GATE_MAPPING, KERNEL_KEXT_RETURN_BAD_DATA);
  int32_t result = start_dependencies_of(state, start_dependencies);
  if (result != KERNEL_KEXT_RETURN_SUCCESS)
    return stopped_at(state, KERNEL_KEXT_GATE_DEPENDENCY, result);
  state->body->constructed += 1;
  state->start_result = state->body->constructor_status;
  if (state->start_result != 0)
    return stopped_at(state, KERNEL_KEXT_GATE_CONSTRUCTORS, state->start_result);
  return KERNEL_KEXT_RETURN_SUCCESS;
}

/* Whatever a start routine returned becomes one code; the log has the routine's own. */
static int32_t start_failed(kernel_oskext *kext, int32_t result) {
  struct state *state = state_of(kext);
  state->start_result = result;
  state->body->destructed += 1;
  return KERNEL_KEXT_RETURN_START_STOP_ERROR;
}

/* The call in OSKext::stop, as a function of its own: what a hook sees are the arguments of the stop routine. */
KERNEL_FUNCTION_PATCHABLE(int32_t, OSKext_call_stop, (kernel_kmod_info *info, void *data)) {
  return info->stop(info, data);
}

KERNEL_FUNCTION(int32_t, OSKext_stop, (kernel_oskext *kext)) {
  struct state *state = state_of(kext);
  int32_t result = OSKext_call_stop(&state->facts->memory->info, NULL);
  if (result == 0) {
    state->body->destructed += 1;
    state->started = false;
  }
  return result;
}

/* The code of a model kext. */
static int32_t kext_start(kernel_kmod_info *info, void *data) {
  (void)info;
  kernel_kext_body *body = data;
  body->started += 1;
  return body->status == 0 && body->start != NULL ? body->start(body->context) : body->status;
}

static int32_t kext_stop(kernel_kmod_info *info, void *data) {
  (void)data;
  kernel_kext_body *body = &((kernel_kext_memory *)(void *)info)->body;
  body->stopped += 1;
  return body->stop_status == 0 && body->stop != NULL ? body->stop(body->context) : body->stop_status;
}

static void copy_text(char *target, size_t size, const char *text) {
  size_t length = strlen(text);
  if (length > size - 1)
    length = size - 1;
  memcpy(target, text, length);
  target[length] = 0;
}

void kernel_kmod_init(kernel_kmod_info *info, const char *name, const char *version, uint64_t address, uint64_t size) {
  memset(info, 0, sizeof *info);
  info->info_version = 1;
  copy_text(info->name, sizeof info->name, name);
  copy_text(info->version, sizeof info->version, version);
  info->address = address;
  info->size = size;
  info->start = kext_start;
  info->stop = kext_stop;
}

void kernel_oskext_init(kernel_oskext *kext, const kernel_oskext_layout *layout, const kernel_oskext_facts *facts,
                        kernel_osstring *path, const char *path_text) {
  static const struct methods methods = {prepare, start_failed};
  memset(kext, 0, sizeof *kext);
  memset(path, 0, sizeof *path);
  set_pointer_at(path, layout->string_text, path_text);
  set_pointer_at(kext, 0, &methods);
  set_pointer_at(kext, KERNEL_IMAGE_OSKEXT_PATH, path);
  set_pointer_at(kext, layout->kmod_info, &facts->memory->info);
  state_of(kext)->body = &facts->memory->body;
  state_of(kext)->facts = facts;
}

void kernel_oskext_set_loaded(kernel_oskext *kext, bool loaded) {
  state_of(kext)->loaded = loaded;
  if (!loaded)
    state_of(kext)->started = false;
}

void kernel_oskext_forget(kernel_oskext *kext) {
  struct state *state = state_of(kext);
  state->gate = KERNEL_KEXT_GATE_NONE;
  state->start_result = 0;
  state->blocker = NULL;
}

const void *kernel_oskext_start_function(const kernel_oskext *kext) { return state_of(kext)->facts->start; }
bool kernel_oskext_started(const kernel_oskext *kext) { return state_of(kext)->started; }
uint32_t kernel_oskext_gate(const kernel_oskext *kext) { return state_of(kext)->gate; }
const kernel_oskext *kernel_oskext_blocker(const kernel_oskext *kext) { return state_of(kext)->blocker; }
int32_t kernel_oskext_start_result(const kernel_oskext *kext) { return state_of(kext)->start_result; }

kernel_kmod_info *kernel_oskext_kmod_info(const kernel_oskext *kext, const kernel_oskext_layout *layout) {
  return pointer_at(kext, layout->kmod_info);
}

const char *kernel_oskext_path(const kernel_oskext *kext, const kernel_oskext_layout *layout) {
  const kernel_osstring *path = pointer_at(kext, KERNEL_IMAGE_OSKEXT_PATH);
  return pointer_at(path, layout->string_text);
}

int32_t kernel_image_call_oskext_start(const void *function, kernel_oskext *kext, bool start_dependencies) {
  int32_t (*start)(kernel_oskext *, bool);
  memcpy(&start, &function, sizeof start);
  return start(kext, start_dependencies);
}
