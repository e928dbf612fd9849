/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory dump of the 2018 Kemon, byte by byte.
 */
#ifndef DNS_WATCH_HEX_DUMP_H
#define DNS_WATCH_HEX_DUMP_H

#include <cstdint>
#include <string>
#include <string_view>

/* Appends a dump; `base` is the address to show for the first byte. Nothing for no bytes. */
void append_hex_dump(std::string &out, std::string_view bytes, std::uint64_t base);

#endif
