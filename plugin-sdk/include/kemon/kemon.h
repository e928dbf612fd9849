/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/kemon.h: everything a plugin needs. Start with plugin.h.
 */
#ifndef KEMON_KEMON_H
#define KEMON_KEMON_H

#include "base.h"
#include "event.h"
#include "host.h"
#include "mac.h"
#include "payloads.h"
#include "plugin.h"
#include "verdict.h"

#endif
