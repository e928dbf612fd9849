/* SPDX-License-Identifier: Apache-2.0
 * What the files of exec share. */
#ifndef KERNEL_EXEC_H
#define KERNEL_EXEC_H

#include "kernel_processes.h"
#include "vfs.h"
#include <string.h>

#define EXEC_OPERATION(imgp, name) (imgp)->ip_proc->p_kernel->operations->name
#define EXEC_CONTEXT(imgp) (imgp)->ip_proc->p_kernel->context

/* The process can not go back to its old image: it is killed, and why is kept for who made it. */
void exec_too_late(kernel_image_params *imgp, kernel_proc *p, int32_t error, uint32_t reason);
#endif
