/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration of dns-watch.
 */
#ifndef DNS_WATCH_CONFIG_H
#define DNS_WATCH_CONFIG_H

#include <kemon/kemon.h>

#include <stdexcept>

#include "name_list.h"

struct Config {
  bool print = false;
  bool dump = true;
  std::uint64_t dump_base = 0;
  NameList deny;
};

/* Its text names the path of what is wrong. */
struct ConfigError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/* Reads {"print", "dump", "dump_base", "deny"}; throws ConfigError. */
Config read_config(const kemon_host *host);

#endif
