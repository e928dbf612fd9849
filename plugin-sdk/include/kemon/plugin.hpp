/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/plugin.hpp: plugins as C++ classes, C++17 or later. The constructor reads the configuration and registers
 * handlers; the destructor frees what it made. No exception crosses the border: what a constructor throws is shown to
 * the operator, what a handler throws is a fault, and on_fault says what counts as its vote then.
 *
 *   struct guard : kemon::plugin {
 *     explicit guard(kemon::host host) : plugin(host) {
 *       on("file.open", KEMON_PHASE_PRE, {.filter = "path ^= '/etc/shadow'"}, [](kemon::event event) {
 *         return event->subject.uid == 0 ? kemon::allow() : kemon::deny(EACCES, "for root only");
 *       });
 *     }
 *   };
 *   KEMON_CXX_PLUGIN(guard, "{\"name\": \"my-guard\", \"version\": \"1.0.0\", \"abi\": 1}");
 *
 * (Designated initialisers are C++20; in C++17 fill in a kemon::handler_options.)
 */
#ifndef KEMON_PLUGIN_HPP
#define KEMON_PLUGIN_HPP

#include "kemon.h"

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpadded"
#endif

namespace kemon {

/* An event as a handler sees it: valid until the handler returns. */
class event {
public:
  explicit event(const kemon_event *raw) noexcept : raw_(raw) {}

  const kemon_event *raw() const noexcept { return raw_; }
  const kemon_event *operator->() const noexcept { return raw_; }

  /* The payload, or NULL when the producer is older than what Payload has. Know the kind before you ask. */
  template <class Payload> const Payload *payload() const noexcept {
    return static_cast<const Payload *>(kemon_payload(raw_, sizeof(Payload)));
  }

  /* The bytes of a string of the event, in place; empty when it is absent. */
  std::string_view text(kemon_str string) const noexcept {
    return {kemon_str_ptr(raw_, string), kemon_str_len(raw_, string)};
  }

  /* Whether some string is cut: never allow by comparing it. */
  bool is_truncated() const noexcept { return (raw_->flags & KEMON_EV_TRUNCATED) != 0; }

private:
  const kemon_event *raw_;
};

/* What a handler answers. The reason must live until the handler returns; a literal does. */
struct vote {
  uint16_t action = KEMON_ABSTAIN;
  uint16_t flags = 0;
  int32_t err = 0;
  uint32_t reason_code = 0;
  uint64_t allow_mask = UINT64_MAX;
  int64_t result = 0;
  const char *reason = "";

  /* The answer holds for all events that are equal in the handler's cache_fields. */
  vote cacheable() const noexcept {
    vote copy = *this;
    copy.flags |= KEMON_V_CACHEABLE;
    return copy;
  }

  /* The same with the plugin's own stable number. */
  vote with_code(uint32_t code) const noexcept {
    vote copy = *this;
    copy.reason_code = code;
    return copy;
  }

  void write(kemon_verdict *verdict) const noexcept {
    kemon_say(verdict, action, err, reason_code, reason);
    verdict->flags = static_cast<uint16_t>(verdict->flags | flags);
    verdict->allow_mask = allow_mask;
    verdict->result = result;
  }
};

/* No opinion. */
inline vote abstain() noexcept { return {}; }

/* Fine as far as this handler goes. */
inline vote allow() noexcept {
  vote answer;
  answer.action = KEMON_ALLOW;
  return answer;
}

/* The operation fails with an errno, Linux numbers. */
inline vote deny(int32_t err, const char *reason) noexcept {
  vote answer;
  answer.action = KEMON_DENY;
  answer.err = err;
  answer.reason = reason;
  return answer;
}

/* In a pre handler: fine, but only these bits of the operation's flags stay. */
inline vote allow_only(uint64_t mask) noexcept {
  vote answer;
  answer.action = KEMON_MODIFY;
  answer.allow_mask = mask;
  return answer;
}

/* In a post handler: the caller gets this instead of what the operation returned. */
inline vote replace_result(int64_t result, const char *reason) noexcept {
  vote answer;
  answer.action = KEMON_MODIFY;
  answer.flags = KEMON_V_RESULT;
  answer.result = result;
  answer.reason = reason;
  return answer;
}

/* The host: valid as long as the plugin. */
class host {
public:
  explicit host(const kemon_host *raw) noexcept : raw_(raw) {}

  const kemon_host *raw() const noexcept { return raw_; }

  /* A line for the operator; never blocks. [any] */
  void log(int32_t level, std::string_view text) const noexcept { raw_->log(raw_, level, text.data(), text.size()); }

  /* The event clock, nanoseconds since 1970. [any] */
  uint64_t now() const noexcept { return raw_->now(raw_); }

  /* An extension's table, or NULL: find<kemon_ext_output>(KEMON_EXT_OUTPUT). [any] */
  template <class Table> const Table *find(const char *id) const noexcept {
    return static_cast<const Table *>(raw_->ext(raw_, id));
  }

  /* Appends whole lines to standard output, which is the host's. [any] */
  kemon_status write(std::string_view lines) const noexcept {
    auto *output = find<kemon_ext_output>(KEMON_EXT_OUTPUT);
    return output == nullptr ? KEMON_E_UNSUPPORTED : output->write(raw_, lines.data(), lines.size());
  }

  /* How many elements or members are at a path of the configuration; nothing when it is neither. [control] */
  std::optional<int64_t> count(const char *path) const {
    int64_t count = config().count(raw_, path);
    return count < 0 ? std::nullopt : std::optional<int64_t>(count);
  }

  /* What is at a path of the configuration, as in "deny[0].id"; nothing when it is absent, std::invalid_argument when
   * it is something else. Texts live as long as the plugin. [control] */
  std::optional<std::string_view> string(const char *path) const {
    if (const char *text = config().string(raw_, path))
      return std::string_view(text);
    int64_t number;
    if (config().count(raw_, path) >= 0 || config().integer(raw_, path, &number) != KEMON_E_NOTFOUND)
      throw std::invalid_argument(std::string(path) + ": must be a string");
    return std::nullopt;
  }

  std::optional<int64_t> integer(const char *path) const {
    int64_t value = 0;
    return checked(config().integer(raw_, path, &value), path, ": must be an integer")
               ? std::optional<int64_t>(value)
               : std::nullopt;
  }

  std::optional<bool> boolean(const char *path) const {
    int32_t value = 0;
    return checked(config().boolean(raw_, path, &value), path, ": must be true or false")
               ? std::optional<bool>(value != 0)
               : std::nullopt;
  }

private:
  const kemon_ext_config &config() const {
    auto *table = find<kemon_ext_config>(KEMON_EXT_CONFIG);
    if (table == nullptr)
      throw std::runtime_error("this host has no " KEMON_EXT_CONFIG);
    return *table;
  }

  static bool checked(kemon_status status, const char *path, const char *needed) {
    if (status == KEMON_E_INVALID)
      throw std::invalid_argument(std::string(path) + needed);
    return status == KEMON_OK;
  }

  const kemon_host *raw_;
};

/* What a handler may say beside its kind and its function; see kemon_handler. */
struct handler_options {
  const char *name = nullptr; /* NULL: the kind and the phase */
  const char *filter = nullptr;
  uint32_t flags = 0;
  uint16_t on_fault = KEMON_FAIL_ABSTAIN;
  int32_t priority = 0;
  uint32_t cache_fields = 0;
  uint64_t cache_ttl_ns = 0;
  uint64_t timeout_ns = 0;
  uint16_t on_timeout = KEMON_FAIL_ABSTAIN;
};

/* The base of a plugin's class. Handlers are registered in the constructor, and live as long as the object. A class that
 * can also be constructed from (kemon::host, const kemon_create &) is, and so gets the state of the one before. */
class plugin {
public:
  explicit plugin(host the_host) noexcept : host_(the_host) {}
  plugin(const plugin &) = delete;
  plugin &operator=(const plugin &) = delete;
  virtual ~plugin() = default;

  /* Events flow when it has returned; what it throws is shown to the operator. */
  virtual void start() {}

  /* No handler runs any more; own threads must have been joined when it returns. */
  virtual void stop() noexcept {}

  /* Overridden (and public): takes another configuration while events flow; the host answers from it during the call. All
   * of it, or none and an exception, which is shown to the operator. Otherwise the host refuses it. */
  virtual void reconfigure() {}

  /* Overridden (and public): writes what the next generation shall know. */
  virtual kemon_status save(kemon_sink &) { return KEMON_OK; }

protected:
  host the_host() const noexcept { return host_; }

  /* Registers a function of an event that returns a vote. Lanes call it, several at a time. Returns the handler's token,
   * for kemon.mute/1. Throws std::runtime_error with the host's reason. */
  template <class Function>
  uint64_t on(const char *kind, uint16_t phase, const handler_options &options, Function function) {
    static_assert(std::is_same<decltype(function(event(nullptr))), vote>::value, "a handler returns a kemon::vote");
    return add(kind, phase, options, std::move(function));
  }

  template <class Function> uint64_t on(const char *kind, uint16_t phase, Function function) {
    return on(kind, phase, handler_options(), std::move(function));
  }

  /* Registers a function that looks on: it reads events after their decision, on a thread of its own. */
  template <class Function> uint64_t observe(const char *kind, handler_options options, Function function) {
    options.flags |= KEMON_H_OBSERVE;
    return add(kind, 0, options, std::move(function));
  }

private:
  struct holder {
    virtual ~holder() = default;
  };

  template <class Function> struct held final : holder {
    explicit held(Function given) : function(std::move(given)) {}
    Function function;

    static kemon_status call(void *self, const kemon_event *raw, kemon_verdict *verdict) noexcept {
      try {
        auto &function = static_cast<held *>(self)->function;
        if constexpr (std::is_void<decltype(function(event(raw)))>::value)
          function(event(raw));
        else
          function(event(raw)).write(verdict);
        return KEMON_OK;
      } catch (...) {
        return KEMON_E_FAILED;
      }
    }
  };

  template <class Function>
  uint64_t add(const char *kind, uint16_t phase, const handler_options &options, Function function) {
    auto owner = std::make_unique<held<Function>>(std::move(function));
    std::string name = options.name != nullptr ? options.name : default_name(kind, phase, options.flags);
    kemon_handler handler{};
    handler.size = sizeof handler;
    handler.flags = options.flags;
    handler.name = name.c_str();
    handler.kind = kind;
    handler.filter = options.filter;
    handler.fn = held<Function>::call;
    handler.ctx = owner.get();
    handler.phase = phase;
    handler.on_fault = options.on_fault;
    handler.priority = options.priority;
    handler.cache_fields = options.cache_fields;
    handler.cache_ttl_ns = options.cache_ttl_ns;
    handler.timeout_ns = options.timeout_ns;
    handler.on_timeout = options.on_timeout;
    uint64_t token = 0;
    kemon_error error{};
    error.size = sizeof error;
    handlers_.reserve(handlers_.size() + 1); /* what follows may not throw once the host knows the handler */
    if (host_.raw()->on(host_.raw(), &handler, &token, &error) != KEMON_OK)
      throw std::runtime_error(error.text);
    handlers_.push_back(std::move(owner));
    return token;
  }

  static std::string default_name(const char *kind, uint16_t phase, uint32_t flags) {
    const char *side = phase == KEMON_PHASE_PRE ? ".pre" : phase == KEMON_PHASE_POST ? ".post" : "";
    return (flags & KEMON_H_OBSERVE) != 0 ? std::string("observe.") + kind : std::string(kind) + side;
  }

  host host_;
  std::vector<std::unique_ptr<holder>> handlers_;
};

/* The C functions of a plugin's class. */
template <class Plugin> struct exported {
  static void *create(const kemon_host *raw, const kemon_create *given, kemon_error *error) noexcept {
    return guarded<void *>(error, nullptr, [raw, given] {
      (void)given;
      if constexpr (std::is_constructible<Plugin, host, const kemon_create &>::value)
        return static_cast<void *>(static_cast<plugin *>(new Plugin(host(raw), *given)));
      else
        return static_cast<void *>(static_cast<plugin *>(new Plugin(host(raw))));
    });
  }

  static kemon_status start(void *self, kemon_error *error) noexcept {
    return guarded<kemon_status>(error, KEMON_E_FAILED, [self] {
      static_cast<plugin *>(self)->start();
      return KEMON_OK;
    });
  }

  static void stop(void *self) noexcept { static_cast<plugin *>(self)->stop(); }

  static void destroy(void *self) noexcept { delete static_cast<plugin *>(self); }

  static kemon_status reconfigure(void *self, const char *, uint32_t, kemon_error *error) noexcept {
    return guarded<kemon_status>(error, KEMON_E_FAILED, [self] {
      static_cast<plugin *>(self)->reconfigure();
      return KEMON_OK;
    });
  }

  static kemon_status save(void *self, kemon_sink *sink) noexcept {
    return guarded<kemon_status>(nullptr, KEMON_E_FAILED, [self, sink] {
      return static_cast<plugin *>(self)->save(*sink);
    });
  }

  static constexpr kemon_plugin table() {
    kemon_plugin table{};
    table.size = sizeof table;
    table.abi = KEMON_ABI;
    table.create = create;
    table.start = start;
    table.stop = stop;
    table.destroy = destroy;
    /* What the base has is not overridden: the host is told that there is none. */
    if constexpr (!std::is_same<decltype(&Plugin::reconfigure), void (plugin::*)()>::value)
      table.reconfigure = reconfigure;
    if constexpr (!std::is_same<decltype(&Plugin::save), kemon_status (plugin::*)(kemon_sink &)>::value)
      table.save = save;
    return table;
  }

private:
  template <class Value, class Body> static Value guarded(kemon_error *error, Value failed, Body body) noexcept {
    try {
      return body();
    } catch (const std::exception &reason) {
      kemon_fail(error, KEMON_E_FAILED, reason.what());
    } catch (...) {
      kemon_fail(error, KEMON_E_FAILED, "an exception without a text");
    }
    return failed;
  }
};

} // namespace kemon

/* Makes a class the plugin of this library. Once, at file scope, outside of namespaces. */
#define KEMON_CXX_PLUGIN(Plugin, manifest)                                                                             \
  KEMON_MANIFEST(manifest);                                                                                            \
  const kemon_plugin *kemon_plugin_v1(kemon_hello *hello) {                                                            \
    static constexpr kemon_plugin table = ::kemon::exported<Plugin>::table();                                          \
    return kemon_speaks(hello) ? &table : nullptr;                                                                     \
  }                                                                                                                    \
  static_assert(true, "")

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
#endif
