/* SPDX-License-Identifier: Apache-2.0
 *
 * kemon/typed.hpp: handlers with named arguments from lambdas, C++17 or later.
 *
 *   kemon::typed_handlers handlers;   // a member of the plugin: owns the lambdas, must live until destroy
 *
 *   handlers.on(host, error, {"file.open", KEMON_PHASE_PRE}, kemon::names("path", "flags"),
 *               [](const char *path, int32_t flags, kemon_verdict &verdict) { ... });
 *
 * and with C++20, the whole signature made at compile time:
 *
 *   handlers.on<"file.open", "path", "flags">(host, error, KEMON_PHASE_PRE, [](const char *path, int32_t flags,
 *                                                                             kemon_verdict &verdict) { ... });
 *
 * The types of the signature are those of the lambda's parameters; that there are as many names is checked at compile
 * time, that they exist and fit when the handler is registered. The lambda returns nothing or a kemon_status. An
 * exception ends at the border: it is a fault, and on_fault says what the handler is taken to have voted.
 *
 *   int8_t .. uint64_t, float, double    c C h H i I l L f d
 *   kemon::address                       p
 *   const char *, std::string_view       z, b (the bytes, whatever is in them)
 *   kemon_span                          b
 *   const kemon_event *                  e
 *   std::optional<T>, const T *          T?, empty or NULL when the field is missing; T is a number
 *   a trivial struct                     see kemon::signature_of
 */
#ifndef KEMON_TYPED_HPP
#define KEMON_TYPED_HPP

#include "typed.h"

#include <array>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace kemon {

/* An address where the event happened: never to be followed. */
enum class address : uint64_t {};

/* The letters of a type. Specialise it for a struct by value whose members are numbers:
 *   struct timespec64 { int64_t seconds, nanoseconds; };
 *   template <> struct kemon::signature_of<timespec64> { static constexpr std::string_view letters = "{ll}"; }; */
template <class T> struct signature_of;

#define KEMON_LETTER(type, letter)                                                                                     \
  template <> struct signature_of<type> {                                                                              \
    static constexpr std::string_view letters = letter;                                                                \
  };
KEMON_LETTER(int8_t, "c")
KEMON_LETTER(uint8_t, "C")
KEMON_LETTER(int16_t, "h")
KEMON_LETTER(uint16_t, "H")
KEMON_LETTER(int32_t, "i")
KEMON_LETTER(uint32_t, "I")
KEMON_LETTER(int64_t, "l")
KEMON_LETTER(uint64_t, "L")
KEMON_LETTER(float, "f")
KEMON_LETTER(double, "d")
KEMON_LETTER(address, "p")
KEMON_LETTER(const char *, "z")
KEMON_LETTER(std::string_view, "b")
KEMON_LETTER(kemon_span, "b")
KEMON_LETTER(const kemon_event *, "e")
#undef KEMON_LETTER

namespace detail {

template <class... T> struct list {};

/* How a parameter of a lambda is passed in C, and made again from that. */
template <class T> struct passing {
  static constexpr bool is_optional = false;
  static constexpr std::string_view prefix = "";
  using value = T;
  using arguments = list<T>;
  static T make(T v) noexcept { return v; }
};

template <class T> struct number_pointer {
  static_assert(std::is_arithmetic_v<T> || std::is_same_v<T, address>, "an optional value is a number");
  static constexpr bool is_optional = true;
  static constexpr std::string_view prefix = "*";
  using value = T;
  using arguments = list<const T *>;
};

template <class T> struct passing<const T *> : number_pointer<T> {
  static const T *make(const T *v) noexcept { return v; }
};

template <class T> struct passing<std::optional<T>> : number_pointer<T> {
  static std::optional<T> make(const T *v) noexcept { return v == nullptr ? std::optional<T>() : std::optional<T>(*v); }
};

template <> struct passing<const char *> {
  static constexpr bool is_optional = false;
  static constexpr std::string_view prefix = "";
  using value = const char *;
  using arguments = list<const char *>;
  static const char *make(const char *v) noexcept { return v; }
};

template <> struct passing<const kemon_event *> {
  static constexpr bool is_optional = false;
  static constexpr std::string_view prefix = "";
  using value = const kemon_event *;
  using arguments = list<const kemon_event *>;
  static const kemon_event *make(const kemon_event *v) noexcept { return v; }
};

template <> struct passing<std::string_view> {
  static constexpr bool is_optional = false;
  static constexpr std::string_view prefix = "";
  using value = std::string_view;
  using arguments = list<const void *, size_t>;
  static std::string_view make(const void *data, size_t size) noexcept {
    return data == nullptr ? std::string_view() : std::string_view(static_cast<const char *>(data), size);
  }
};

template <> struct passing<kemon_span> {
  static constexpr bool is_optional = false;
  static constexpr std::string_view prefix = "";
  using value = kemon_span;
  using arguments = list<const void *, size_t>;
  static kemon_span make(const void *data, size_t size) noexcept { return {data, size}; }
};

template <class P> using plain = std::remove_cv_t<std::remove_reference_t<P>>;
template <class P> using passed = passing<plain<P>>;

template <class... L> struct join;
template <> struct join<> {
  using type = list<>;
};
template <class... A> struct join<list<A...>> {
  using type = list<A...>;
};
template <class... A, class... B, class... Rest> struct join<list<A...>, list<B...>, Rest...> {
  using type = typename join<list<A..., B...>, Rest...>::type;
};

template <class... A> constexpr size_t count(list<A...>) { return sizeof...(A); }

/* Makes one parameter from the arguments of C that begin at `First`. */
template <class P, size_t First, class Tuple, size_t... I>
decltype(auto) make(Tuple &all, std::index_sequence<I...>) noexcept {
  return passed<P>::make(std::get<First + I>(all)...);
}

/* The arguments of C in front of parameter `Index`. */
template <size_t Index, class... P> constexpr size_t offset() {
  constexpr size_t counts[] = {count(typename passed<P>::arguments{})..., 0};
  size_t sum = 0;
  for (size_t i = 0; i < Index; i++)
    sum += counts[i];
  return sum;
}

template <class F, class Arguments, class... P> struct border;
template <class F, class... A, class... P> struct border<F, list<A...>, P...> {
  /* What the host calls: C on the outside, and no exception gets out. */
  static kemon_status call(void *body, A... arguments, kemon_verdict *verdict) noexcept {
    std::tuple<A...> all(arguments...);
    try {
      return run(*static_cast<F *>(body), all, *verdict, std::index_sequence_for<P...>());
    } catch (...) {
      return KEMON_E_FAILED;
    }
  }

private:
  template <size_t... I>
  static kemon_status run(F &body, std::tuple<A...> &all, kemon_verdict &verdict, std::index_sequence<I...>) {
    (void)all;
    using result = decltype(body(std::declval<P>()..., verdict));
    if constexpr (std::is_void_v<result>) {
      body(make<P, offset<I, P...>()>(all, indices<P>())..., verdict);
      return KEMON_OK;
    } else {
      return body(make<P, offset<I, P...>()>(all, indices<P>())..., verdict);
    }
  }

  template <class Q> using indices = std::make_index_sequence<count(typename passed<Q>::arguments{})>;
};

template <class... P> struct parameters {
  static constexpr size_t size = sizeof...(P);
  template <class F> using call = border<F, typename join<typename passed<P>::arguments...>::type, P...>;

  /* ":z", "?:*i", ... for each parameter. */
  template <class Append> static constexpr void types(Append &&append) {
    (append(passed<P>::is_optional ? std::string_view("?:") : std::string_view(":"), passed<P>::prefix,
            signature_of<typename passed<P>::value>::letters),
     ...);
  }
};

/* The parameters of a lambda in front of its last, which is the verdict. */
template <class Front, class... P> struct split;
template <class... F, class Last> struct split<list<F...>, Last> {
  static_assert(std::is_same_v<Last, kemon_verdict &>, "the last parameter of a handler is kemon_verdict &");
  using type = parameters<F...>;
};
template <class... F, class First, class Second, class... Rest>
struct split<list<F...>, First, Second, Rest...> : split<list<F..., First>, Second, Rest...> {};

template <class M> struct member;
template <class C, class R, class... P> struct member<R (C::*)(P...) const> : split<list<>, P...> {};
template <class C, class R, class... P> struct member<R (C::*)(P...)> : split<list<>, P...> {};
template <class C, class R, class... P> struct member<R (C::*)(P...) const noexcept> : split<list<>, P...> {};
template <class C, class R, class... P> struct member<R (C::*)(P...) noexcept> : split<list<>, P...> {};

template <class F> using parameters_of = typename member<decltype(&F::operator())>::type;

} // namespace detail

/* The names of a lambda's parameters, in their order. */
template <size_t N> struct name_list {
  std::array<std::string_view, N> names;
};
template <class... Name> constexpr name_list<sizeof...(Name)> names(const Name &...name) {
  return {{std::string_view(name)...}};
}

/* What a handler is for; the members are those of kemon_handler. */
struct subject {
  const char *kind;
  const char *name = nullptr; /* NULL = the kind */
  const char *filter = nullptr;
  uint16_t phase;
  uint16_t on_fault = KEMON_FAIL_ABSTAIN;
  uint16_t on_timeout = KEMON_FAIL_ABSTAIN;
  uint16_t reserved = 0;
  uint32_t flags = 0;
  int32_t priority = 0;
  uint64_t timeout_ns = 0;
  uint64_t cache_ttl_ns = 0;
  uint32_t cache_fields = 0;
  uint32_t reserved2 = 0;

  constexpr subject(const char *kind_, uint16_t phase_ = 0) : kind(kind_), phase(phase_) {}
};

/* The signature of a lambda with these names. */
template <class F, size_t N> std::string signature(const name_list<N> &list) {
  using parameters = detail::parameters_of<F>;
  static_assert(parameters::size == N, "a name for each parameter of the lambda but the verdict");
  std::string text;
  size_t index = 0;
  parameters::types([&](std::string_view mark, std::string_view prefix, std::string_view letters) {
    if (index > 0)
      text += ' ';
    text.append(list.names[index++]).append(mark).append(prefix).append(letters);
  });
  return text;
}

/* Clang can do it long before it says so. */
#if __cplusplus >= 202002L && (__cpp_nontype_template_args >= 201911L || __clang_major__ >= 12)
#define KEMON_HAS_TEXT_ARGUMENTS 1
#else
#define KEMON_HAS_TEXT_ARGUMENTS 0
#endif

#if KEMON_HAS_TEXT_ARGUMENTS
/* A text that is a template's argument. */
template <size_t N> struct fixed_text {
  char text[N]{};
  constexpr fixed_text(const char (&from)[N]) {
    for (size_t i = 0; i < N; i++)
      text[i] = from[i];
  }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

/* The signature of a lambda with these names, in the program's constants. */
template <class F, fixed_text... Name> struct constant_signature {
  using parameters = detail::parameters_of<F>;
  static_assert(parameters::size == sizeof...(Name), "a name for each parameter of the lambda but the verdict");

private:
  template <class Put> static constexpr void write(Put &&put) {
    constexpr std::array<std::string_view, sizeof...(Name)> all{Name.view()...};
    size_t index = 0;
    parameters::types([&](std::string_view mark, std::string_view prefix, std::string_view letters) {
      if (index > 0)
        put(std::string_view(" "));
      put(all[index++]);
      put(mark);
      put(prefix);
      put(letters);
    });
  }
  static constexpr size_t length = [] {
    size_t sum = 0;
    write([&](std::string_view part) { sum += part.size(); });
    return sum;
  }();

public:
  static constexpr std::array<char, length + 1> text = [] {
    std::array<char, length + 1> text{};
    size_t end = 0;
    write([&](std::string_view part) {
      for (char c : part)
        text[end++] = c;
    });
    return text;
  }();
};
#endif

/* Handlers of a plugin that are lambdas. Keep it in the plugin's self: what it owns must live until destroy. Handlers
 * are added in create and start. [control] */
class typed_handlers {
public:
  typed_handlers() = default;
  typed_handlers(const typed_handlers &) = delete;
  typed_handlers &operator=(const typed_handlers &) = delete;

  /* Registers a lambda. KEMON_E_INVALID: `error` says which name or type does not match, with its column. */
  template <class F, size_t N>
  kemon_status on(const kemon_host *host, kemon_error *error, const subject &what, const name_list<N> &list,
                  F body) noexcept {
    try {
      return add(host, error, what, signature<F>(list).c_str(), std::move(body));
    } catch (const std::exception &failure) {
      return kemon_fail(error, KEMON_E_NOMEM, failure.what());
    }
  }

#if KEMON_HAS_TEXT_ARGUMENTS
  template <fixed_text Kind, fixed_text... Name, class F>
  kemon_status on(const kemon_host *host, kemon_error *error, subject what, F body) noexcept {
    what.kind = Kind.text;
    try {
      return add(host, error, what, constant_signature<F, Name...>::text.data(), std::move(body));
    } catch (const std::exception &failure) {
      return kemon_fail(error, KEMON_E_NOMEM, failure.what());
    }
  }

  template <fixed_text Kind, fixed_text... Name, class F>
  kemon_status on(const kemon_host *host, kemon_error *error, uint16_t phase, F body) noexcept {
    return on<Kind, Name...>(host, error, subject{nullptr, phase}, std::move(body));
  }
#endif

private:
  template <class F>
  kemon_status add(const kemon_host *host, kemon_error *error, const subject &what, const char *signature, F body) {
    auto owned = std::make_shared<F>(std::move(body));
    bodies.reserve(bodies.size() + 1);
    kemon_handler handler{};
    handler.size = sizeof handler;
    handler.name = what.name == nullptr ? what.kind : what.name;
    handler.kind = what.kind;
    handler.phase = what.phase;
    handler.filter = what.filter;
    handler.flags = what.flags;
    handler.on_fault = what.on_fault;
    handler.timeout_ns = what.timeout_ns;
    handler.on_timeout = what.on_timeout;
    handler.cache_fields = what.cache_fields;
    handler.cache_ttl_ns = what.cache_ttl_ns;
    handler.priority = what.priority;
    handler.signature = signature;
    handler.typed = reinterpret_cast<kemon_any_fn>(&detail::parameters_of<F>::template call<F>::call);
    handler.ctx = owned.get();
    const kemon_status status = host->on(host, &handler, nullptr, error);
    if (status == KEMON_OK)
      bodies.push_back(std::move(owned));
    return status;
  }

  std::vector<std::shared_ptr<void>> bodies;
};

} // namespace kemon
#endif
