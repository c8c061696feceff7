// Result<T>: a value, or an Error that says what, where and what to do. Nothing here throws.
#pragma once
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

namespace attune {

enum class Code { kInvalid, kNotFound, kConflict, kCorrupt, kUnavailable, kInternal };

struct Error {
  Code code = Code::kInternal;
  std::string message;     // what and where, in plain words
  std::string field = {};  // input field at fault, if one
  std::string hint = {};   // what to do, if known
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Error error) : state_(std::move(error)) {}
  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<std::monostate>;
inline Status ok_status() { return std::monostate{}; }

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace attune

#define ATTUNE_CONCAT_INNER(a, b) a##b
#define ATTUNE_CONCAT(a, b) ATTUNE_CONCAT_INNER(a, b)
// TRY(const Event event, decode(bytes)); passes an error up, else declares the value.
#define TRY(declaration, expression) \
  TRY_INNER(declaration, expression, ATTUNE_CONCAT(try_result_, __LINE__))
#define TRY_INNER(declaration, expression, temporary)       \
  auto temporary = (expression);                            \
  if (!temporary.ok()) return std::move(temporary).error(); \
  declaration = std::move(temporary).value()
// TRY_OK(store()); passes an error up, else goes on.
#define TRY_OK(expression)                                      \
  do {                                                          \
    auto try_status = (expression);                             \
    if (!try_status.ok()) return std::move(try_status).error(); \
  } while (false)
// A broken promise inside our own code: prints and aborts, in every build.
#define CHECK(condition) \
  ((condition) ? void(0) : ::attune::check_failed(#condition, __FILE__, __LINE__))
