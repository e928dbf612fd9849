/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/kemon.h: everything a plugin needs. Start with plugin.h.
 */
#ifndef KEMON_KEMON_H
#define KEMON_KEMON_H

#include "base.h"
#include "blob.h"
#include "defer.h"
#include "event.h"
#include "host.h"
#include "mac.h"
#include "metrics.h"
#include "modify.h"
#include "mute.h"
#include "payloads.h"
#include "plugin.h"
#include "schema.h"
#include "thread.h"
#include "timer.h"
#include "typed.h"
#include "verdict.h"

#endif
