/* SPDX-License-Identifier: Apache-2.0
 *
 * dns-watch: prints name queries as the 2018 Kemon did, and refuses those of listed domains.
 */
#include <kemon/kemon.h>

#include <cerrno>

#include "config.h"
#include "hex_dump.h"

KEMON_MANIFEST("{\"name\": \"dns-watch\", \"version\": \"1.0.0\", \"abi\": 1, \"license\": \"Apache-2.0\","
               " \"description\": \"Prints name queries, refuses those of listed domains\","
               " \"extensions\": [\"kemon.config/1\", \"kemon.output/1\"],"
               " \"capabilities\": [\"observe\", \"vote\"], \"config\": {\"type\": \"object\", "
               "\"additionalProperties\": false, \"properties\": {\"print\": {\"type\": \"boolean\", \"default\": false}, \"dump\": "
               "{\"type\": \"boolean\"}, \"dump_base\": {\"type\": \"string\", \"description\": \"the address of "
               "the first byte of a dump, 0x...\"}, \"deny\": {\"type\": \"array\", \"default\": [], \"items\": "
               "{\"type\": \"string\", \"description\": \"a domain\", \"minLength\": 1}}}}}");

namespace {

std::string_view text(const kemon_event *event, kemon_str string) {
  return {kemon_str_ptr(event, string), kemon_str_len(event, string)};
}

/* A line of output stays one line whatever is in a name. */
void append_printable(std::string &out, std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F)
      out += c;
    else
      ((out += "\\x") += digits[byte >> 4]) += digits[byte & 15];
  }
}

class DnsWatch {
public:
  explicit DnsWatch(const kemon_host *host)
      : host_(host), output_(static_cast<const kemon_ext_output *>(host->ext(host, KEMON_EXT_OUTPUT))),
        config_(read_config(host)) {
    if (output_ == nullptr && config_.print)
      throw ConfigError("the host has no extension " KEMON_EXT_OUTPUT);
  }

  kemon_status add_handlers(kemon_error *error) {
    kemon_status status = KEMON_OK;
    if (config_.print)
      status = add("print", KEMON_H_OBSERVE, guarded<&DnsWatch::print>, KEMON_FAIL_ABSTAIN, error);
    if (status == KEMON_OK && !config_.deny.empty())
      status = add("deny", 0, guarded<&DnsWatch::decide>, KEMON_FAIL_DENY, error);
    return status;
  }

private:
  using Method = kemon_status (DnsWatch::*)(const kemon_event *, const kemon_dns_query &, kemon_verdict *);

  /* The border: an event of the wrong shape is a fault, and no exception gets through. */
  template <Method method>
  static kemon_status guarded(void *self, const kemon_event *event, kemon_verdict *verdict) noexcept {
    auto *query = static_cast<const kemon_dns_query *>(kemon_payload(event, sizeof(kemon_dns_query)));
    if (query == nullptr)
      return KEMON_E_INVALID;
    try {
      return (static_cast<DnsWatch *>(self)->*method)(event, *query, verdict);
    } catch (...) {
      return KEMON_E_FAILED;
    }
  }

  kemon_status add(const char *name, std::uint32_t flags, kemon_handler_fn function, std::uint16_t on_fault,
                   kemon_error *error) {
    kemon_handler handler{};
    handler.size = sizeof handler;
    handler.flags = flags;
    handler.name = name;
    handler.kind = "net.dns_query";
    handler.fn = function;
    handler.ctx = this;
    handler.phase = KEMON_PHASE_PRE;
    handler.on_fault = on_fault;
    return host_->on(host_, &handler, nullptr, error);
  }

  /* [lane] Reads what create made and nothing else. */
  kemon_status decide(const kemon_event *event, const kemon_dns_query &query, kemon_verdict *verdict) {
    if (event->flags & KEMON_EV_TRUNCATED)
      return kemon_deny(verdict, EACCES, "the query is cut, its domain is unknown");
    if (config_.deny.covers(text(event, query.name)))
      return kemon_deny(verdict, EACCES, "domain is denied");
    return KEMON_OK;
  }

  /* [observer] One thread: the buffer is used again and again. */
  kemon_status print(const kemon_event *event, const kemon_dns_query &query, kemon_verdict *) {
    line_.clear();
    line_ += "[Kemon.kext] : <UDP> ";
    append_addresses(event, query);
    line_ += ".\n";
    if (config_.dump)
      append_hex_dump(line_, text(event, query.packet), config_.dump_base);
    line_ += "[Kemon.kext] : <DNS Query> ";
    append_addresses(event, query);
    append_process(event);
    line_ += ", query=";
    append_printable(line_, text(event, query.name));
    line_ += ".\n";
    output_->write(host_, line_.data(), line_.size());
    return KEMON_OK;
  }

  void append_addresses(const kemon_event *event, const kemon_dns_query &query) {
    append_printable(line_, text(event, query.source));
    line_ += ':' + std::to_string(query.source_port) + "->";
    append_printable(line_, text(event, query.destination));
    line_ += ':' + std::to_string(query.destination_port);
  }

  void append_process(const kemon_event *event) {
    const kemon_subject &subject = event->subject;
    line_ += ", uid=" + std::to_string(static_cast<std::int32_t>(subject.uid));
    line_ += ", process(pid " + std::to_string(subject.pid) + ")=";
    append_printable(line_, text(event, subject.comm));
    line_ += ", parent(ppid " + std::to_string(subject.ppid) + ")=";
    append_printable(line_, text(event, subject.parent));
  }

  const kemon_host *host_;
  const kemon_ext_output *output_;
  const Config config_;
  std::string line_;
};

void *create(const kemon_host *host, const kemon_create *, kemon_error *error) noexcept {
  DnsWatch *self = nullptr;
  try {
    self = new DnsWatch(host);
    if (self->add_handlers(error) == KEMON_OK)
      return self;
  } catch (const std::exception &caught) {
    kemon_fail(error, KEMON_E_FAILED, caught.what());
  } catch (...) {
    kemon_fail(error, KEMON_E_FAILED, "unknown exception");
  }
  delete self;
  return nullptr;
}

void destroy(void *self) noexcept { delete static_cast<DnsWatch *>(self); }

/* Field by field: a struct that has grown since still gets zeros. */
constexpr kemon_plugin table() {
  kemon_plugin table{};
  table.size = sizeof table;
  table.abi = KEMON_ABI;
  table.create = create;
  table.destroy = destroy;
  return table;
}

constexpr kemon_plugin plugin = table();

} // namespace

const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) { return kemon_speaks(hello) ? &plugin : nullptr; }
