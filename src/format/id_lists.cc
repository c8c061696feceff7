#include "format/id_lists.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <limits>

namespace attune {
namespace {

// Takes a file byte by byte, so that a line may be of any length.
class Parser {
 public:
  explicit Parser(const std::string& name) : name_(name) {}

  Status take(char c) {
    if (c >= '0' && c <= '9') return digit(static_cast<std::uint64_t>(c - '0'));
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return wrong(c);
    if (has_digits_) TRY_OK(end_number());
    if (c != '\n') return ok_status();
    ++line_;
    has_person_ = false;
    return ok_status();
  }
  Result<std::vector<IdList>> finish() {
    if (has_digits_) TRY_OK(end_number());
    if (!lists_.empty()) return std::move(lists_);
    return Error{Code::kInvalid, name_ + " holds no lists", "", kShape};
  }

 private:
  static constexpr const char* kShape =
      "a line is a person's number and items' numbers, parted by spaces";

  Status digit(std::uint64_t d) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    has_digits_ = true;
    if (number_ > (kMost - d) / 10) {
      return Error{Code::kInvalid, fmt::format("{} line {}: a number is too large", name_, line_),
                   "", "numbers are below 2^64"};
    }
    number_ = number_ * 10 + d;
    return ok_status();
  }
  Status end_number() {
    if (++count_ > kMostListedIds) {
      return Error{Code::kInvalid,
                   fmt::format("{} line {}: more than {} numbers", name_, line_, kMostListedIds),
                   "", "split the file"};
    }
    if (has_person_) {
      lists_.back().items.push_back(number_);
    } else {
      lists_.push_back({number_, {}});
    }
    has_person_ = true;
    has_digits_ = false;
    number_ = 0;
    return ok_status();
  }
  Status wrong(char c) const {
    const auto byte = static_cast<unsigned char>(c);
    const std::string shown =
        byte > ' ' && byte < 127 ? fmt::format("\"{}\"", c) : fmt::format("byte {}", byte);
    return Error{Code::kInvalid, fmt::format("{} line {}: {} is no digit", name_, line_, shown), "",
                 kShape};
  }

  const std::string& name_;
  std::vector<IdList> lists_;
  std::uint64_t number_ = 0, line_ = 1;
  std::size_t count_ = 0;
  bool has_digits_ = false, has_person_ = false;
};

}  // namespace

Result<std::vector<IdList>> read_id_lists(ByteSource& bytes) {
  Parser parser(bytes.name());
  std::array<char, 1 << 16> chunk;
  while (true) {
    TRY(const std::size_t size, bytes.read(chunk));
    if (size == 0) return parser.finish();
    for (std::size_t i = 0; i < size; ++i) TRY_OK(parser.take(chunk[i]));
  }
}

Result<std::vector<IdList>> read_id_lists(const std::string& path) {
  std::string found = path;
  for (const char* packed : {".gz", ".zst"}) {
    std::error_code unreadable;
    if (!std::filesystem::exists(found, unreadable)) found = path + packed;
  }
  std::error_code unreadable;
  if (!std::filesystem::exists(found, unreadable)) found = path;
  TRY(const auto bytes, ByteSource::open(found));
  return read_id_lists(*bytes);
}

}  // namespace attune
