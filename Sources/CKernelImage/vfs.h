/* SPDX-License-Identifier: Apache-2.0
 * What the system calls on names share. */
#ifndef KERNEL_VFS_H
#define KERNEL_VFS_H

#include "kernel_files.h"

/* A path for listeners, with its NUL. */
typedef struct vfs_path {
  char text[KERNEL_MAXPATHLEN];
  int32_t length;
} vfs_path;

/* Looks a path up; what it ends in must be a directory when it ends in a slash. */
int32_t vfs_find(kernel_nameidata *nd, const kernel_vfs_context *ctx, const char *path, size_t length, uint32_t flags);

/* The path of a vnode, and of a name in a directory; 0 when there is none that fits. */
int vfs_path_of(kernel_vnode *vp, vfs_path *path);
int vfs_path_of_name(kernel_vnode *dvp, const kernel_componentname *cnp, vfs_path *path);
#endif
