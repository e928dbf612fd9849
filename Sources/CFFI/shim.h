#include <ffi.h>

// The types are variables in C, which Swift can not share between threads.
static inline ffi_type *cffi_type_void(void) { return &ffi_type_void; }
static inline ffi_type *cffi_type_pointer(void) { return &ffi_type_pointer; }
static inline ffi_type *cffi_type_uint16(void) { return &ffi_type_uint16; }
static inline ffi_type *cffi_type_uint32(void) { return &ffi_type_uint32; }
static inline ffi_type *cffi_type_uint64(void) { return &ffi_type_uint64; }
static inline ffi_type *cffi_type_sint32(void) { return &ffi_type_sint32; }
static inline ffi_type *cffi_type_sint64(void) { return &ffi_type_sint64; }
static inline ffi_status cffi_prep_cif(ffi_cif *cif, unsigned int count, ffi_type *result, ffi_type **types) {
  return ffi_prep_cif(cif, FFI_DEFAULT_ABI, count, result, types);
}
