#include <ffi.h>
#include <stdint.h>

/* libffi's types are variables, which Swift takes for state that threads share; nobody writes to them. */
#define CFFI_TYPE(name)                                                                                                \
  static inline ffi_type *cffi_##name(void) { return &ffi_type_##name; }
CFFI_TYPE(void)
CFFI_TYPE(uint8)
CFFI_TYPE(sint8)
CFFI_TYPE(uint16)
CFFI_TYPE(sint16)
CFFI_TYPE(uint32)
CFFI_TYPE(sint32)
CFFI_TYPE(uint64)
CFFI_TYPE(sint64)
CFFI_TYPE(float)
CFFI_TYPE(double)
CFFI_TYPE(longdouble)
CFFI_TYPE(pointer)

/* Describes a call; `fixed` is how many arguments come before the `...`, or -1 for a function without. */
static inline ffi_status cffi_prepare(ffi_cif *cif, int fixed, unsigned count, ffi_type *result, ffi_type **arguments) {
  if (fixed < 0)
    return ffi_prep_cif(cif, FFI_DEFAULT_ABI, count, result, arguments);
  return ffi_prep_cif_var(cif, FFI_DEFAULT_ABI, (unsigned)fixed, count, result, arguments);
}

/* Calls the function at an address. */
static inline void cffi_call(ffi_cif *cif, const void *function, void *result, void **arguments) {
  ffi_call(cif, (void (*)(void))function, result, arguments);
}

/* Reads what was written before the code was changed that leads to the caller; race detectors do not see that order. */
__attribute__((no_sanitize("thread"))) static inline uintptr_t cffi_read(const uintptr_t *word) { return *word; }
