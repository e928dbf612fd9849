/* SPDX-License-Identifier: Apache-2.0
 * Darwin's numbers of the errors that the model's kernel code returns; the names are those of sys/errno.h. */
#ifndef KERNEL_ERRNO_H
#define KERNEL_ERRNO_H

#define KERNEL_EPERM 1
#define KERNEL_ENOENT 2
#define KERNEL_ESRCH 3
#define KERNEL_EIO 5
#define KERNEL_ENXIO 6
#define KERNEL_E2BIG 7
#define KERNEL_ENOEXEC 8
#define KERNEL_EBADF 9
#define KERNEL_EDEADLK 11
#define KERNEL_ENOMEM 12
#define KERNEL_EACCES 13
#define KERNEL_EFAULT 14
#define KERNEL_EBUSY 16
#define KERNEL_EEXIST 17
#define KERNEL_EXDEV 18
#define KERNEL_ENODEV 19
#define KERNEL_ENOTDIR 20
#define KERNEL_EISDIR 21
#define KERNEL_EINVAL 22
#define KERNEL_EMFILE 24
#define KERNEL_EFBIG 27
#define KERNEL_ENOSPC 28
#define KERNEL_EMLINK 31
#define KERNEL_EAGAIN 35
#define KERNEL_ELOOP 62
#define KERNEL_ENAMETOOLONG 63
#define KERNEL_ENOTEMPTY 66
#define KERNEL_EBADEXEC 85
#define KERNEL_EBADARCH 86
#define KERNEL_EBADMACHO 88
#define KERNEL_EOPNOTSUPP 102
#endif
