#include "format/encoding.h"

#include <iconv.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace attune {
namespace {

struct Known {
  Encoding encoding;
  std::string_view name;
  const char* iconv_name;
  std::string_view mark;
};
constexpr std::array<Known, 5> kKnown = {{
    {Encoding::kUtf8, "utf-8", "UTF-8", "\xef\xbb\xbf"},
    {Encoding::kUtf16Le, "utf-16le", "UTF-16LE", "\xff\xfe"},
    {Encoding::kUtf16Be, "utf-16be", "UTF-16BE", "\xfe\xff"},
    {Encoding::kGbk, "gbk", "GB18030", "\x84\x31\x95\x33"},
    {Encoding::kLatin1, "latin1", "ISO-8859-1", ""},
}};

const Known& known(Encoding encoding) {
  return *std::ranges::find(kKnown, encoding, &Known::encoding);
}

// UTF-16 without a mark: most files hold digits, commas and line ends, whose high byte is zero.
std::optional<Encoding> guess_wide(std::string_view head) {
  std::size_t even = 0, odd = 0;
  for (std::size_t i = 0; i + 1 < head.size(); i += 2) {
    even += head[i] == 0;
    odd += head[i + 1] == 0;
  }
  const std::size_t pairs = head.size() / 2;
  const std::size_t few = pairs < 200 ? pairs / 2 : pairs / 20;
  if (odd > few && even <= odd / 10) return Encoding::kUtf16Le;
  if (even > few && odd <= even / 10) return Encoding::kUtf16Be;
  return std::nullopt;
}

bool is_high(char c) { return static_cast<unsigned char>(c) >= 0xa1; }

// Whether the bytes beyond ASCII of a line come in pairs, as the common characters of GBK do.
bool is_like_gbk(std::string_view line) {
  std::size_t common = 0, other = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (static_cast<unsigned char>(line[i]) < 0x80) continue;
    if (i + 1 == line.size() || static_cast<unsigned char>(line[i + 1]) < 0x40) return false;
    ++(is_high(line[i]) && is_high(line[i + 1]) ? common : other);
    ++i;
  }
  return common >= other * 4;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::string_view encoding_name(Encoding encoding) { return known(encoding).name; }

std::optional<Encoding> encoding_named(std::string_view name) {
  const auto* found = std::ranges::find(kKnown, name, &Known::name);
  if (found == kKnown.end()) return std::nullopt;
  return found->encoding;
}

std::size_t mark_length(std::string_view head, Encoding encoding) {
  const std::string_view mark = known(encoding).mark;
  return head.starts_with(mark) ? mark.size() : 0;
}

Encoding guess_encoding(std::string_view head) {
  for (const Known& each : kKnown) {
    if (!each.mark.empty() && head.starts_with(each.mark)) return each.encoding;
  }
  if (const auto wide = guess_wide(head)) return *wide;
  std::size_t utf8 = 0, gbk = 0;  // lines, of those that are not ASCII
  while (!head.empty()) {
    const std::size_t end = head.find('\n');
    if (end == std::string_view::npos && utf8 + gbk > 0) break;  // cut off in a character, maybe
    const std::string_view line = head.substr(0, end);
    head = end == std::string_view::npos ? std::string_view() : head.substr(end + 1);
    if (is_ascii(line)) continue;
    if (simdjson::validate_utf8(line.data(), line.size())) {
      ++utf8;
    } else if (is_like_gbk(line)) {
      ++gbk;
    }
  }
  return gbk > utf8 ? Encoding::kGbk : Encoding::kUtf8;
}

Result<Decoder> Decoder::open(Encoding from) {
  iconv_t state = iconv_open("UTF-8", known(from).iconv_name);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): how iconv_open says that it cannot.
  if (state == reinterpret_cast<iconv_t>(-1)) {
    return Error{Code::kUnavailable,
                 std::string("this system cannot read ") + known(from).iconv_name, "encoding",
                 "convert the file to UTF-8"};
  }
  const bool is_wide = from == Encoding::kUtf16Le || from == Encoding::kUtf16Be;
  return Decoder(state, is_wide ? 2 : 1);
}

Decoder::Decoder(Decoder&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)),
      unit_(other.unit_),
      pending_(std::move(other.pending_)) {}

Decoder::~Decoder() {
  if (state_ != nullptr) iconv_close(state_);
}

void Decoder::decode(std::string_view bytes, std::string& out) {
  if (!pending_.empty()) {
    pending_.append(bytes);
    bytes = pending_;
  }
  const std::size_t before = out.size();
  out.resize(before + bytes.size() * 4);
  char* from = const_cast<char*>(bytes.data());
  char* to = out.data() + before;
  std::size_t left = bytes.size(), room = bytes.size() * 4;
  while (left > 0 && iconv(state_, &from, &left, &to, &room) == static_cast<std::size_t>(-1)) {
    CHECK(errno != E2BIG);
    if (errno == EINVAL) break;  // the beginning of a character
    const std::size_t step = std::min(unit_, left);
    from += step;
    left -= step;
    --room;
    *to++ = kWrong;
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
  pending_ = std::string(from, left);
}

void Decoder::finish(std::string& out) {
  if (!pending_.empty()) out.push_back(kWrong);
  pending_.clear();
}

}  // namespace attune
