/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace {

/* kemon.config/1 with errors as exceptions. */
class Reader {
public:
  explicit Reader(const kemon_host *host)
      : host_(host), table_(static_cast<const kemon_ext_config *>(host->ext(host, KEMON_EXT_CONFIG))) {
    if (table_ == nullptr)
      throw ConfigError("the host has no extension " KEMON_EXT_CONFIG);
  }

  bool exists(const std::string &path) const {
    std::int64_t ignored;
    return table_->integer(host_, path.c_str(), &ignored) != KEMON_E_NOTFOUND;
  }

  void boolean(const std::string &path, bool &out) const {
    std::int32_t value = out;
    require(table_->boolean(host_, path.c_str(), &value), path, "must be true or false");
    out = value != 0;
  }

  /* Kernel addresses do not fit into a signed integer: they are texts. */
  void address(const std::string &path, std::uint64_t &out) const {
    if (!exists(path))
      return;
    const char *digits = text(path);
    char *end = nullptr;
    errno = 0;
    out = std::strtoull(digits, &end, 16);
    if (std::strncmp(digits, "0x", 2) != 0 || digits[2] == 0 || *end != 0 || errno != 0)
      throw ConfigError(path + ": must be an address like \"0xffffff8049a116c0\"");
  }

  std::int64_t array(const std::string &path) const {
    if (!exists(path))
      return 0;
    std::int64_t count = table_->count(host_, path.c_str());
    if (count < 0 || (count > 0 && !exists(path + "[0]")))
      throw ConfigError(path + ": must be an array");
    return count;
  }

  const char *text(const std::string &path) const {
    const char *value = table_->string(host_, path.c_str());
    if (value == nullptr)
      throw ConfigError(path + ": must be a string");
    return value;
  }

  void allow_members(std::initializer_list<const char *> names) const {
    std::int64_t known = 0;
    std::string listed;
    for (const char *name : names) {
      known += exists(name);
      listed += (listed.empty() ? "" : ", ") + std::string(name);
    }
    if (table_->count(host_, "") > known)
      throw ConfigError("configuration: may only have the members " + listed);
  }

private:
  static void require(kemon_status status, const std::string &path, const char *needed) {
    if (status != KEMON_OK && status != KEMON_E_NOTFOUND)
      throw ConfigError(path + ": " + needed);
  }

  const kemon_host *host_;
  const kemon_ext_config *table_;
};

} // namespace

Config read_config(const kemon_host *host) {
  Reader reader(host);
  Config config;
  reader.allow_members({"print", "dump", "dump_base", "deny"});
  reader.boolean("print", config.print);
  reader.boolean("dump", config.dump);
  reader.address("dump_base", config.dump_base);
  std::int64_t count = reader.array("deny");
  for (std::int64_t i = 0; i < count; i++) {
    std::string path = "deny[" + std::to_string(i) + "]";
    if (!config.deny.add(reader.text(path)))
      throw ConfigError(path + ": must be a domain name");
  }
  return config;
}
