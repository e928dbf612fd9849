/* SPDX-License-Identifier: Apache-2.0 */
#include "name_list.h"

#include <array>

namespace {

char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view without_final_dot(std::string_view name) {
  if (!name.empty() && name.back() == '.')
    name.remove_suffix(1);
  return name;
}

} // namespace

bool NameList::add(std::string_view name) {
  name = without_final_dot(name);
  if (name.empty() || name.size() > longest || name.front() == '.' || name.find("..") != std::string_view::npos)
    return false;
  std::string text(name);
  for (char &c : text)
    c = lowered(c);
  names_.insert(std::move(text));
  return true;
}

bool NameList::covers(std::string_view name) const noexcept {
  name = without_final_dot(name);
  /* Of a name that is too long to be one, the end decides, from the first whole label on. */
  if (name.size() > longest) {
    name.remove_prefix(name.size() - longest - 1);
    std::size_t dot = name.find('.');
    if (dot == std::string_view::npos)
      return false;
    name.remove_prefix(dot + 1);
  }
  std::array<char, longest> buffer;
  for (std::size_t i = 0; i < name.size(); i++)
    buffer[i] = lowered(name[i]);
  std::string_view rest(buffer.data(), name.size());
  for (;;) {
    if (names_.find(rest) != names_.end())
      return true;
    std::size_t dot = rest.find('.');
    if (dot == std::string_view::npos)
      return false;
    rest.remove_prefix(dot + 1);
  }
}
