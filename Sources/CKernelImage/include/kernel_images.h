/* SPDX-License-Identifier: Apache-2.0
 * Mapping files, and what the kernel checks of their pages. */
#ifndef KERNEL_IMAGES_H
#define KERNEL_IMAGES_H

#include "kernel_processes.h"

#define KERNEL_PROT_READ 0x1
#define KERNEL_PROT_WRITE 0x2
#define KERNEL_PROT_EXEC 0x4
#define KERNEL_MAP_SHARED 0x1
#define KERNEL_MAP_PRIVATE 0x2
#define KERNEL_MAP_FIXED 0x10

/* Code signing flags of a process: CS_VALID, CS_HARD, CS_KILL, CS_REQUIRE_LV. */
#define KERNEL_CS_VALID 0x1u
#define KERNEL_CS_HARD 0x100u
#define KERNEL_CS_KILL 0x200u
#define KERNEL_CS_REQUIRE_LV 0x2000u

/* An open file: what a descriptor means. */
typedef struct kernel_fileglob {
  kernel_vnode *fg_data;
  const kernel_ucred *fg_cred; /* who opened it */
  int32_t fg_flag;             /* KERNEL_FREAD, KERNEL_FWRITE, ... */
} kernel_fileglob;

typedef struct kernel_mmap_args {
  uint64_t addr; /* set when it is mapped */
  uint64_t len;
  uint64_t pos;
  int32_t prot;
  int32_t flags;
} kernel_mmap_args;

/* Maps a file; the C library has the name mmap. */
int32_t kernel_mmap(kernel_proc *p, kernel_fileglob *fg, kernel_mmap_args *uap);

/* fcntl F_ADDFILESIGS_RETURN and F_CHECK_LV. */
int32_t ubc_cs_blob_add(kernel_proc *p, kernel_vnode *vp, uint64_t offset);
int32_t kernel_check_library_validation(kernel_proc *p, kernel_fileglob *fg, uint64_t offset);

/* A page was found not to be what was signed: 1 when it must not be used. *csflags are the process', and lose CS_VALID
 * when the page is let in; *is_killed says whether the process must end. */
int32_t cs_invalid_page(kernel_proc *p, kernel_vnode *vp, uint64_t offset, uint32_t *csflags, int32_t *is_killed);

int32_t mac_file_check_mmap(const kernel_ucred *cred, kernel_proc *p, kernel_fileglob *fg, kernel_mmap_args *uap,
                            int32_t *maxprot);
int32_t mac_file_check_library_validation(kernel_proc *p, kernel_fileglob *fg, uint64_t offset);
#endif
