/* SPDX-License-Identifier: Apache-2.0
 * Kernel authorization: scopes, their listeners, and what a kernel asks them.
 *
 * Functions have the names and the arguments of XNU's, with one difference: a process can hold several kernels, so the
 * kernel that is meant comes first, or with the credential. Numbers are XNU's, results are Darwin's errnos. */
#ifndef KERNEL_KAUTH_H
#define KERNEL_KAUTH_H

#include <stddef.h>
#include <stdint.h>

/* Answers of a scope's own callback and of listeners. */
#define KERNEL_KAUTH_ALLOW 1
#define KERNEL_KAUTH_DENY 2
#define KERNEL_KAUTH_DEFER 3

/* How many listeners a scope can have. */
#define KERNEL_KAUTH_SLOTS 15

/* Actions of com.apple.kauth.generic and com.apple.kauth.process. */
#define KERNEL_KAUTH_GENERIC_ISSUSER 1
#define KERNEL_KAUTH_PROCESS_CANSIGNAL 1
#define KERNEL_KAUTH_PROCESS_CANTRACE 2

/* Actions of com.apple.kauth.fileop; the last one since macOS 10.14.1. */
#define KERNEL_KAUTH_FILEOP_OPEN 1
#define KERNEL_KAUTH_FILEOP_CLOSE 2
#define KERNEL_KAUTH_FILEOP_RENAME 3
#define KERNEL_KAUTH_FILEOP_EXCHANGE 4
#define KERNEL_KAUTH_FILEOP_LINK 5
#define KERNEL_KAUTH_FILEOP_EXEC 6
#define KERNEL_KAUTH_FILEOP_DELETE 7
#define KERNEL_KAUTH_FILEOP_WILL_RENAME 8

/* Argument of KERNEL_KAUTH_FILEOP_CLOSE: the file was written. */
#define KERNEL_KAUTH_FILEOP_CLOSE_MODIFIED (1 << 1)

/* Actions of com.apple.kauth.vnode that the model asks for: bits of a mask. All names: VnodeActions.swift. */
#define KERNEL_KAUTH_VNODE_READ_DATA 0x2u
#define KERNEL_KAUTH_VNODE_WRITE_DATA 0x4u
#define KERNEL_KAUTH_VNODE_ADD_FILE 0x4u
#define KERNEL_KAUTH_VNODE_EXECUTE 0x8u
#define KERNEL_KAUTH_VNODE_SEARCH 0x8u
#define KERNEL_KAUTH_VNODE_DELETE 0x10u
#define KERNEL_KAUTH_VNODE_APPEND_DATA 0x20u
#define KERNEL_KAUTH_VNODE_ADD_SUBDIRECTORY 0x20u
#define KERNEL_KAUTH_VNODE_DELETE_CHILD 0x40u
#define KERNEL_KAUTH_VNODE_READ_ATTRIBUTES 0x80u
#define KERNEL_KAUTH_VNODE_WRITE_ATTRIBUTES 0x100u
#define KERNEL_KAUTH_VNODE_READ_EXTATTRIBUTES 0x200u
#define KERNEL_KAUTH_VNODE_WRITE_EXTATTRIBUTES 0x400u
#define KERNEL_KAUTH_VNODE_READ_SECURITY 0x800u
#define KERNEL_KAUTH_VNODE_WRITE_SECURITY 0x1000u
#define KERNEL_KAUTH_VNODE_TAKE_OWNERSHIP 0x2000u
#define KERNEL_KAUTH_VNODE_LINKTARGET 0x2000000u
#define KERNEL_KAUTH_VNODE_CHECKIMMUTABLE 0x4000000u

/* The scopes of one kernel. */
typedef struct kernel_kauth kernel_kauth;
typedef struct kernel_kauth_scope kernel_kauth_scope;
typedef struct kernel_kauth_listener kernel_kauth_listener;

/* Whose rights are asked about. Equal credentials of one kernel are one object. */
typedef struct kernel_ucred {
  kernel_kauth *cr_kauth; /* the kernel */
  uint32_t cr_id;         /* its number among the kernel's credentials, from 1 */
  uint32_t cr_uid, cr_gid;
  uint32_t cr_ngroups;
  uint32_t cr_groups[16];
} kernel_ucred;

/* A scope's own callback, or a listener. Called on any thread, on several at a time. */
typedef int32_t (*kernel_kauth_callback)(const kernel_ucred *credential, void *idata, uint32_t action, uintptr_t arg0,
                                         uintptr_t arg1, uintptr_t arg2, uintptr_t arg3);

/* The scopes that a kernel begins with, in the order of kernel_kauth_scope_of. */
enum kernel_kauth_builtin {
  KERNEL_KAUTH_SCOPE_GENERIC,
  KERNEL_KAUTH_SCOPE_PROCESS,
  KERNEL_KAUTH_SCOPE_VNODE,
  KERNEL_KAUTH_SCOPE_FILEOP,
  KERNEL_KAUTH_BUILTIN_SCOPES
};

/* Makes a kernel's scopes: the four of above, without callbacks; NULL without memory. */
kernel_kauth *kernel_kauth_create(void);

/* Frees them. Nobody may be inside a scope any more. */
void kernel_kauth_destroy(kernel_kauth *kauth);

/* A built-in scope. */
kernel_kauth_scope *kernel_kauth_scope_of(kernel_kauth *kauth, enum kernel_kauth_builtin scope);

/* Gives a scope its own callback; before anybody asks it. */
void kernel_kauth_set_callback(kernel_kauth_scope *scope, kernel_kauth_callback callback, void *idata);

/* The scope of that name, or NULL. Lives as long as the kernel's scopes. */
kernel_kauth_scope *kernel_kauth_scope_named(kernel_kauth *kauth, const char *identifier);

/* Adds a scope, with the listeners that waited for it; NULL when it is there already or without memory. */
kernel_kauth_scope *kauth_register_scope(kernel_kauth *kauth, const char *identifier, kernel_kauth_callback callback,
                                         void *idata);

/* Adds a listener in the first free slot; for an unknown scope it waits until the scope is registered. NULL when all
 * slots are taken, or without memory. */
kernel_kauth_listener *kauth_listen_scope(kernel_kauth *kauth, const char *identifier, kernel_kauth_callback callback,
                                          void *idata);

/* Removes a listener. As in XNU nobody is waited for: calls may still be inside, so `idata` must stay valid. */
void kauth_unlisten_scope(kernel_kauth *kauth, kernel_kauth_listener *listener);

/* How many listeners a scope has. */
uint32_t kernel_kauth_listeners(const kernel_kauth_scope *scope);

/* Asks a scope; 0 or EPERM. */
int32_t kauth_authorize_action(kernel_kauth_scope *scope, const kernel_ucred *credential, uint32_t action,
                               uintptr_t arg0, uintptr_t arg1, uintptr_t arg2, uintptr_t arg3);

/* May the credential act as the superuser? */
int32_t kauth_authorize_generic(const kernel_ucred *credential, uint32_t action);

/* May the credential signal or trace a process? */
int32_t kauth_authorize_process(const kernel_ucred *credential, uint32_t action, void *process, uintptr_t arg1,
                                uintptr_t arg2, uintptr_t arg3);

/* Whether anybody listens to file operations: callers need no path otherwise. */
int kauth_authorize_fileop_has_listeners(const kernel_ucred *credential);

/* Tells the listeners of an operation on a file; always 0. */
int32_t kauth_authorize_fileop(const kernel_ucred *credential, uint32_t action, uintptr_t arg0, uintptr_t arg1);
#endif
