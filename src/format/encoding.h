// Text encodings: guessing which one a file has, and turning it into UTF-8 as it streams by.
// One thread.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace attune {

enum class Encoding { kUtf8, kUtf16Le, kUtf16Be, kGbk, kLatin1 };

std::string_view encoding_name(Encoding encoding);  // "utf-8", "utf-16le", "gbk", ...
std::optional<Encoding> encoding_named(std::string_view name);

// What text beginning with `head` is in, by its mark, its zero bytes, and whether it is UTF-8 or
// GBK. Never Latin-1: any bytes are. Where nothing fits, UTF-8: its rows will be named as bad.
Encoding guess_encoding(std::string_view head);
// Length of the byte order mark `head` begins with, if it is that of `encoding`; else 0.
std::size_t mark_length(std::string_view head, Encoding encoding);

// To UTF-8, through the C library's iconv; GBK is read as its superset GB18030. Each byte (of
// UTF-16 each unit) that stands for nothing becomes kWrong, which no valid UTF-8 holds, so that the
// row around it is found to be bad and no other.
class Decoder {
 public:
  static constexpr char kWrong = '\xff';
  static Result<Decoder> open(Encoding from);  // kUnavailable when the system cannot
  Decoder(Decoder&& other) noexcept;
  Decoder& operator=(Decoder&&) = delete;
  ~Decoder();
  // Appends what `bytes` stand for to `out`; a character cut by their end waits for the next call.
  // At most 4 bytes are written per byte read.
  void decode(std::string_view bytes, std::string& out);
  void finish(std::string& out);  // nothing follows: a cut character is wrong

 private:
  Decoder(void* state, std::size_t unit) : state_(state), unit_(unit) {}
  void* state_;
  std::size_t unit_;     // bytes to step over when they are wrong
  std::string pending_;  // the beginning of a character
};

}  // namespace attune
