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

/* Calls a function whose arguments are all integers and pointers, widened to words; 6, 10 or 16 of them are
 * read, those behind the last argument are passed in vain. In the calling conventions of Linux on x86-64 and AArch64 each such argument is one
 * register or one word of the stack, which the caller takes away again, so that more of them do no harm. */
static inline uint64_t cffi_call_words(const void *function, const uint64_t *w, unsigned count) {
  typedef uint64_t w_t;
  if (count <= 6)
    return ((w_t(*)(w_t, w_t, w_t, w_t, w_t, w_t))(uintptr_t)function)(w[0], w[1], w[2], w[3], w[4], w[5]);
  if (count <= 10)
    return ((w_t(*)(w_t, w_t, w_t, w_t, w_t, w_t, w_t, w_t, w_t, w_t))(uintptr_t)function)(
        w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9]);
  return ((w_t(*)(w_t, w_t, w_t, w_t, w_t, w_t, w_t, w_t, w_t, w_t, w_t, w_t, w_t, w_t, w_t, w_t))(uintptr_t)function)(
      w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12], w[13], w[14], w[15]);
}

/* Reads what was written before the code was changed that leads to the caller; race detectors do not see that order. */
__attribute__((no_sanitize("thread"))) static inline uintptr_t cffi_read(const uintptr_t *word) { return *word; }
