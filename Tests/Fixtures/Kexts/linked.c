/* SPDX-License-Identifier: Apache-2.0
 * A kext as LLVM's linker lays it out. Linkers make kexts of a bundle by its file type:
 *
 *   clang -target x86_64-apple-macos10.13 -Os -ffreestanding -mkernel -c linked.c -o linked.o
 *   ld64.lld -arch x86_64 -platform_version macos 10.13 10.13 -bundle -undefined dynamic_lookup linked.o -o linked-x86_64
 *   printf "\x0b" | dd of=linked-x86_64 bs=1 seek=12 conv=notrunc
 *
 * and so for arm64 with macos 11.0 and -fixup_chains. */
typedef struct kmod_info {
  struct kmod_info *next; int info_version; unsigned id; char name[64]; char version[64]; int reference_count;
  void *reference_list; unsigned long address, size, hdr_size; int (*start)(struct kmod_info *, void *); int (*stop)(struct kmod_info *, void *);
} __attribute__((packed, aligned(4))) kmod_info_t;
struct mac_policy_conf {
  const char *name, *fullname; const char **labels; unsigned label_count; void *ops; int flags; int *field; int runtime; struct mac_policy_conf *list; void *data;
};
extern int mac_policy_register(struct mac_policy_conf *, unsigned *, void *);
extern int mac_policy_unregister(unsigned);
extern void IOLog(const char *, ...);
static int check_mmap(void) { return 0; }
static int update_execve(void) { return 1; }
static void *ops[335] = {[10] = update_execve, [36] = check_mmap};
static struct mac_policy_conf conf = {"dylibmon_m", "Watches libraries", 0, 0, ops, 2, 0, 0, 0, 0};
static unsigned handle;
static int driver_start(kmod_info_t *info, void *data) {
  IOLog("start %p %p", info, data);
  return mac_policy_register(&conf, &handle, data);
}
static int driver_stop(kmod_info_t *info, void *data) { (void)info; (void)data; return mac_policy_unregister(handle); }
kmod_info_t kmod_info = {0, 1, -1U, "com.example.linked", "1.0.2", -1, 0, 0, 0, 0, driver_start, driver_stop};
