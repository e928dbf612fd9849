/* SPDX-License-Identifier: Apache-2.0
 * The machine code of the kernel model: what Kemon's hooks find and change as they would in a macOS kernel.
 *
 * Functions have the names, the call shapes and the data layouts of the kernels that they stand for, OSKext::start also
 * the instructions; what happens inside is the model's own. Functions in C: see kernel_image_function.h. */
#ifndef KERNEL_IMAGE_H
#define KERNEL_IMAGE_H

/* Offsets that OSKext_start (oskext_start.S) uses; kext.c checks them. */
#define KERNEL_IMAGE_OSKEXT_PATH 0x20
#define KERNEL_IMAGE_OSKEXT_DATA 0x60
#define KERNEL_IMAGE_OSKEXT_STARTED 0x68
#define KERNEL_IMAGE_OSKEXT_SIZE 0x80
#define KERNEL_IMAGE_METHOD_PREPARE 0
#define KERNEL_IMAGE_METHOD_START_FAILED 8
#define KERNEL_IMAGE_KMOD_START 180

/* The section of the registry's rows. The linker makes one table of those of all files. */
#define KERNEL_IMAGE_REGISTRY "kernel_image_functions"

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What every kext tells the kernel about itself, as XNU lays it out on 64-bit systems: packed to 4 bytes. */
#pragma pack(push, 4)
typedef struct kernel_kmod_info {
  struct kernel_kmod_info *next;
  int32_t info_version;
  uint32_t id;
  char name[64];
  char version[64];
  int32_t reference_count;
  void *reference_list;
  uint64_t address; /* where the model says the kext is linked to; no code is there */
  uint64_t size;
  uint64_t hdr_size;
  int32_t (*start)(struct kernel_kmod_info *info, void *data);
  int32_t (*stop)(struct kernel_kmod_info *info, void *data);
} kernel_kmod_info;
#pragma pack(pop)

/* Where the parts of an OSKext and of its OSString are in a release. */
typedef struct kernel_oskext_layout {
  uint32_t kmod_info;   /* offset of the kmod_info pointer in an OSKext */
  uint32_t string_text; /* offset of the text pointer in an OSString */
} kernel_oskext_layout;

/* An OSString: the text pointer is at kernel_oskext_layout.string_text. */
typedef struct kernel_osstring {
  uint64_t words[6];
} kernel_osstring;

/* What the code of a model kext works on: what it returns, how often it ran, and what else it does. */
typedef struct kernel_kext_body {
  int32_t status; /* of the start routine */
  int32_t stop_status;
  int32_t constructor_status;
  uint32_t started;
  uint32_t stopped;
  uint32_t constructed;
  uint32_t destructed;
  /* What the routines end with where they do not fail by themselves; NULL for nothing. They get the context. */
  int32_t (*start)(void *context);
  int32_t (*stop)(void *context);
  void *context;
} kernel_kext_body;

/* A linked kext: its kmod_info, and behind it what its code works on. */
typedef struct kernel_kext_memory {
  kernel_kmod_info info;
  kernel_kext_body body;
} kernel_kext_memory;

/* An OSKext. Its first word is its table of methods, the other fields have no fixed place: use the functions below. */
typedef struct kernel_oskext {
  uint64_t words[KERNEL_IMAGE_OSKEXT_SIZE / 8];
} kernel_oskext;

/* What the kernel knows of a kext. */
typedef struct kernel_oskext_facts {
  kernel_kext_memory *memory;
  kernel_oskext *const *dependencies;
  size_t dependency_count;
  const void *start;      /* OSKext_start itself, for dependencies that are not started yet */
  uint64_t start_address; /* where the start routine is said to be in the linked kext */
  bool load_enabled;
} kernel_oskext_facts;

/* Where OSKext_start stopped before it called the start routine. */
#define KERNEL_KEXT_GATE_NONE 0
#define KERNEL_KEXT_GATE_NOT_LOADED 1
#define KERNEL_KEXT_GATE_DISABLED 2
#define KERNEL_KEXT_GATE_MAPPING 3
#define KERNEL_KEXT_GATE_DEPENDENCY 4
#define KERNEL_KEXT_GATE_CONSTRUCTORS 5

/* Results of OSKext_start; the numbers are XNU's. */
#define KERNEL_KEXT_RETURN_SUCCESS 0
#define KERNEL_KEXT_RETURN_INVALID_ARGUMENT ((int32_t)0xdc008005)
#define KERNEL_KEXT_RETURN_DISABLED ((int32_t)0xdc00800a)
#define KERNEL_KEXT_RETURN_BAD_DATA ((int32_t)0xdc008007)
#define KERNEL_KEXT_RETURN_START_STOP_ERROR ((int32_t)0xdc008017)

/* Fills in a kmod_info whose routines are the model's. Texts are cut at 63 bytes. */
void kernel_kmod_init(kernel_kmod_info *info, const char *name, const char *version, uint64_t address, uint64_t size);

/* Puts an OSKext together. It points at the other objects, and the string at the text: all must outlive it. */
void kernel_oskext_init(kernel_oskext *kext, const kernel_oskext_layout *layout, const kernel_oskext_facts *facts,
                        kernel_osstring *path, const char *path_text);

/* Says whether the kext is linked: OSKext_start refuses it otherwise. A kext that is not linked is not started. */
void kernel_oskext_set_loaded(kernel_oskext *kext, bool loaded);

/* Forgets what an OSKext_start before left, for one that a hook may skip. */
void kernel_oskext_forget(kernel_oskext *kext);

/* The OSKext_start of the kext's kernel: releases have functions of their own. */
const void *kernel_oskext_start_function(const kernel_oskext *kext);

/* What OSKext_start and OSKext_stop left: whether the kext is started, the gate that it did not pass, the dependency that
 * stood there, and what the start routine or the constructors returned. */
bool kernel_oskext_started(const kernel_oskext *kext);
uint32_t kernel_oskext_gate(const kernel_oskext *kext);
const kernel_oskext *kernel_oskext_blocker(const kernel_oskext *kext);
int32_t kernel_oskext_start_result(const kernel_oskext *kext);

/* Calls the stop routine of a started kext, and its C++ destructors when that returned 0. What the routine returned,
 * where 0 means that the kext is stopped. Can be hooked. */
int32_t OSKext_stop(kernel_oskext *kext);

/* The call in it. Can be hooked. */
int32_t OSKext_call_stop(kernel_kmod_info *info, void *data);

/* Reads an OSKext as a hook does: by the layout of the release. */
kernel_kmod_info *kernel_oskext_kmod_info(const kernel_oskext *kext, const kernel_oskext_layout *layout);
const char *kernel_oskext_path(const kernel_oskext *kext, const kernel_oskext_layout *layout);

/* A function of the image. oskext_start.S writes rows of this layout, too. */
typedef struct kernel_image_function {
  const char *name;
  const void *address;
  size_t size;        /* 0: what the unwind information says */
  uint64_t patchable; /* 1: begins with a five-byte nop */
} kernel_image_function;

/* All functions of the image that can be hooked, in no order. Static storage. Empty where objects are not ELF. */
const kernel_image_function *kernel_image_functions(size_t *count);

/* Calls a function of the image with the prototype int OSKext_start(OSKext *self, bool startDependencies). */
int32_t kernel_image_call_oskext_start(const void *function, kernel_oskext *kext, bool start_dependencies);
#endif
#endif
