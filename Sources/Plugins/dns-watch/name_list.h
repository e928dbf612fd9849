/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of domain names: "example.com" stands for itself and for everything below it.
 */
#ifndef DNS_WATCH_NAME_LIST_H
#define DNS_WATCH_NAME_LIST_H

#include <functional>
#include <set>
#include <string>
#include <string_view>

class NameList {
public:
  /* Adds a name; case and a final dot do not matter. False when it is not a domain name. */
  bool add(std::string_view name);

  /* Whether the name or a parent of it, label by label, is in the list. Allocates nothing. */
  bool covers(std::string_view name) const noexcept;

  bool empty() const noexcept { return names_.empty(); }

private:
  /* 255 bytes are the longest name that DNS can carry. */
  static constexpr std::size_t longest = 255;

  std::set<std::string, std::less<>> names_; /* std::less<>: looked up by view */
};

#endif
