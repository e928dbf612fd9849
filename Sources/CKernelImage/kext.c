/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_image.h"
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

/* What lies at KERNEL_IMAGE_OSKEXT_DATA: the second argument of the start routine, and flags. */
struct state {
  kernel_kext_body *body;
  bool started, loaded;
  int32_t start_result;
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

/* The gates at the beginning of OSKext::start. Dependencies were started when they were loaded. */
static int32_t prepare(kernel_oskext *kext, bool start_dependencies) {
  (void)start_dependencies;
  struct state *state = state_of(kext);
  state->started = false;
  state->start_result = 0;
  return state->loaded ? KERNEL_KEXT_RETURN_SUCCESS : KERNEL_KEXT_RETURN_INVALID_ARGUMENT;
}

/* Whatever a start routine returned becomes one code; the log has the routine's own. */
static int32_t start_failed(kernel_oskext *kext, int32_t result) {
  state_of(kext)->start_result = result;
  return KERNEL_KEXT_RETURN_START_STOP_ERROR;
}

/* The code of a model kext. */
static int32_t kext_start(kernel_kmod_info *info, void *data) {
  (void)info;
  kernel_kext_body *body = data;
  body->started += 1;
  return body->status;
}

static int32_t kext_stop(kernel_kmod_info *info, void *data) {
  (void)info;
  (void)data;
  return 0;
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

void kernel_oskext_init(kernel_oskext *kext, const kernel_oskext_layout *layout, kernel_kmod_info *info,
                        kernel_osstring *path, const char *path_text, kernel_kext_body *body) {
  static const struct methods methods = {prepare, start_failed};
  memset(kext, 0, sizeof *kext);
  memset(path, 0, sizeof *path);
  set_pointer_at(path, layout->string_text, path_text);
  set_pointer_at(kext, 0, &methods);
  set_pointer_at(kext, KERNEL_IMAGE_OSKEXT_PATH, path);
  set_pointer_at(kext, layout->kmod_info, info);
  state_of(kext)->body = body;
}

void kernel_oskext_set_loaded(kernel_oskext *kext, bool loaded) { state_of(kext)->loaded = loaded; }
bool kernel_oskext_started(const kernel_oskext *kext) { return state_of(kext)->started; }
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
