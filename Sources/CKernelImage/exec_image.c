/* SPDX-License-Identifier: Apache-2.0
 * The image activators: Mach-O, fat files, scripts. */
#include "exec.h"
#include "kernel_errno.h"
#include "kernel_image_function.h"
#include <stdlib.h>

#define MH_MAGIC_64 0xfeedfacfu
#define FAT_MAGIC 0xcafebabeu
#define MH_EXECUTE 2
#define CPU_TYPE_X86_64 0x01000007u
#define LC_CODE_SIGNATURE 0x1du
#define MACH_HEADER_SIZE 32
#define FAT_ROW_SIZE 20

static uint32_t word(const kernel_image_params *imgp, size_t offset) {
  uint32_t value = 0;
  if (offset + sizeof value <= imgp->ip_vdatalen)
    memcpy(&value, imgp->ip_vdata + offset, sizeof value);
  return value;
}

static uint32_t big_word(const kernel_image_params *imgp, size_t offset) {
  return __builtin_bswap32(word(imgp, offset));
}

void exec_too_late(kernel_image_params *imgp, kernel_proc *p, int32_t error, uint32_t reason) {
  imgp->ip_late_error = error;
  EXEC_OPERATION(imgp, kill)(EXEC_CONTEXT(imgp), p, KERNEL_SIGKILL, KERNEL_OS_REASON_EXEC, reason);
}

/* MARK: Scripts */

static int is_blank(char c) { return c == ' ' || c == '\t'; }

KERNEL_FUNCTION(int32_t, exec_shell_imgact, (kernel_image_params *imgp)) {
  const char *data = imgp->ip_vdata;
  if (imgp->ip_vdatalen < 2 || data[0] != '#' || data[1] != '!' || (imgp->ip_flags & KERNEL_IMGPF_INTERPRET))
    return KERNEL_IMGACT_UNCLAIMED;
  const size_t room = imgp->ip_vdatalen < KERNEL_IMG_SHSIZE ? imgp->ip_vdatalen : KERNEL_IMG_SHSIZE;
  size_t start = 2;
  while (start < room && is_blank(data[start]))
    start++;
  /* A second '#' ends the line, too. */
  size_t end = start;
  while (end < room && data[end] != '\n' && data[end] != '#')
    end++;
  if (end == room)
    return KERNEL_ENOEXEC;
  while (end > start && is_blank(data[end - 1]))
    end--;
  if (end == start || memchr(data + start, 0, end - start))
    return KERNEL_ENOEXEC;
  memcpy(imgp->ip_interp_buffer, data + start, end - start);
  imgp->ip_interp_buffer[end - start] = 0;
  const size_t length = strcspn(imgp->ip_interp_buffer, " \t");
  memcpy(imgp->ip_interp_path, imgp->ip_interp_buffer, length);
  imgp->ip_interp_path[length] = 0;
  imgp->ip_flags |= KERNEL_IMGPF_INTERPRET;
  return KERNEL_IMGACT_INTERPRETER;
}

/* MARK: Fat files */

KERNEL_FUNCTION_PATCHABLE(int32_t, exec_fat_imgact, (kernel_image_params *imgp)) {
  if (imgp->ip_vdatalen < 8 || big_word(imgp, 0) != FAT_MAGIC || imgp->ip_origcputype)
    return KERNEL_IMGACT_UNCLAIMED;
  const uint32_t count = big_word(imgp, 4);
  for (uint32_t row = 0; row < count && 8 + (row + 1) * FAT_ROW_SIZE <= imgp->ip_vdatalen; row++) {
    const size_t place = 8 + row * FAT_ROW_SIZE;
    if (big_word(imgp, place) != CPU_TYPE_X86_64)
      continue;
    imgp->ip_origcputype = CPU_TYPE_X86_64;
    imgp->ip_arch_offset = big_word(imgp, place + 8);
    return KERNEL_IMGACT_ENCAPSULATED;
  }
  return KERNEL_EBADARCH;
}

/* MARK: Mach-O */

/* The strings that exec puts together: what fits, and where the next one goes. */
typedef struct strings {
  char *next;
  size_t left;
} strings;

static int32_t add(strings *to, const char *text, size_t size) {
  if (size > to->left)
    return KERNEL_E2BIG;
  memcpy(to->next, text, size);
  to->next += size;
  to->left -= size;
  return 0;
}

static int32_t add_text(strings *to, const char *text, size_t length) {
  const int32_t error = add(to, text, length);
  return error ? error : add(to, "", 1);
}

/* A script's interpreter has its own arguments first, then the script's path in place of its name. */
static int32_t add_interpreter(kernel_image_params *imgp, strings *to) {
  const char *rest = imgp->ip_interp_buffer;
  int32_t error = 0;
  while (error == 0 && *rest) {
    const size_t length = strcspn(rest, " \t");
    error = add_text(to, rest, length);
    imgp->ip_argc++;
    rest += length;
    rest += strspn(rest, " \t");
  }
  imgp->ip_argc++;
  return error ? error : add_text(to, imgp->ip_user_fname, imgp->ip_user_fnamelen);
}

/* Copies argv and the environment into the kernel: from here on they can be read by whoever knows where. */
KERNEL_FUNCTION(int32_t, exec_extract_strings, (kernel_image_params *imgp)) {
  strings to = {malloc(KERNEL_NCARGS), KERNEL_NCARGS};
  if (!to.next)
    return KERNEL_ENOMEM;
  imgp->ip_strings = to.next;
  /* The path is the first string, for dyld. */
  int32_t error = add_text(&to, imgp->ip_user_fname, imgp->ip_user_fnamelen);
  char *const argv = to.next;
  kernel_strings arguments = imgp->ip_user_argv;
  if (error == 0 && (imgp->ip_flags & KERNEL_IMGPF_INTERPRET)) {
    error = add_interpreter(imgp, &to);
    if (arguments.count > 0) {
      const size_t skipped = strlen(arguments.text) + 1;
      arguments = (kernel_strings){arguments.text + skipped, arguments.size - skipped, arguments.count - 1};
    }
  }
  if (error == 0 && arguments.size)
    error = add(&to, arguments.text, arguments.size);
  char *const envv = to.next;
  if (error == 0 && imgp->ip_user_envv.size)
    error = add(&to, imgp->ip_user_envv.text, imgp->ip_user_envv.size);
  if (error)
    return error;
  imgp->ip_argc += (int32_t)arguments.count;
  imgp->ip_envc = (int32_t)imgp->ip_user_envv.count;
  imgp->ip_startargv = argv;
  imgp->ip_endargv = envv;
  imgp->ip_endenvv = to.next;
  return 0;
}

static int is_signed(const kernel_image_params *imgp) {
  size_t place = MACH_HEADER_SIZE;
  for (uint32_t left = word(imgp, 16); left > 0 && place + 8 <= imgp->ip_vdatalen; left--) {
    if (word(imgp, place) == LC_CODE_SIGNATURE)
      return 1;
    const uint32_t size = word(imgp, place + 4);
    if (size < 8)
      return 0;
    place += size;
  }
  return 0;
}

/* Maps the image, and dyld; of both the signature is looked at, if there is one. */
KERNEL_FUNCTION_PATCHABLE(int32_t, load_machfile, (kernel_image_params *imgp)) {
  if (is_signed(imgp) && mac_vnode_check_signature(imgp->ip_proc, imgp->ip_vp, imgp->ip_arch_offset))
    return KERNEL_EBADEXEC;
  kernel_vnode *dyld = EXEC_OPERATION(imgp, dylinker)(EXEC_CONTEXT(imgp));
  if (!dyld)
    return 0;
  const int32_t error = mac_vnode_check_signature(imgp->ip_proc, dyld, 0);
  vnode_put(dyld);
  return error ? KERNEL_EBADEXEC : 0;
}

/* The credential of the new image; what policies refuse now is kept until check_for_signature. */
KERNEL_FUNCTION(int32_t, exec_handle_sugid, (kernel_image_params *imgp)) {
  const kernel_vfs_context *ctx = imgp->ip_vfs_context;
  if (mac_cred_check_label_update_execve(ctx, imgp))
    imgp->ip_mac_return = mac_cred_label_update_execve(ctx, ctx->vc_ucred, imgp);
  return 0;
}

KERNEL_FUNCTION_PATCHABLE(int32_t, exec_mach_imgact, (kernel_image_params *imgp)) {
  if (imgp->ip_vdatalen < MACH_HEADER_SIZE || word(imgp, 0) != MH_MAGIC_64 || word(imgp, 12) != MH_EXECUTE)
    return KERNEL_IMGACT_UNCLAIMED;
  if (word(imgp, 4) != CPU_TYPE_X86_64)
    return KERNEL_EBADARCH;
  int32_t error = exec_extract_strings(imgp);
  if (error)
    return error;
  /* The point of no return: the old image goes. */
  error = load_machfile(imgp);
  if (error) {
    exec_too_late(imgp, imgp->ip_proc, error, KERNEL_EXEC_REASON_BAD_MACHO);
    return 0;
  }
  EXEC_OPERATION(imgp, fdexec)(EXEC_CONTEXT(imgp), imgp->ip_proc);
  error = exec_handle_sugid(imgp);
  if (error) {
    exec_too_late(imgp, imgp->ip_proc, error, KERNEL_EXEC_REASON_SUGID_FAILURE);
    return 0;
  }
  EXEC_OPERATION(imgp, become)(EXEC_CONTEXT(imgp), imgp);
  return 0;
}
