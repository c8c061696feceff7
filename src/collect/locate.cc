#include "collect/locate.h"

namespace attune {
namespace {

// Recursive descent; every step is false at a fault and leaves `at_` there.
class Scanner {
 public:
  Scanner(std::string_view text, std::size_t max_depth) : text_(text), depth_left_(max_depth) {}
  std::size_t run() {
    if (value()) skip_space();
    return at_;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') ++at_;
  }
  bool value() {
    skip_space();
    switch (peek()) {
      case '{':
        return list('}', true);
      case '[':
        return list(']', false);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }
  bool word(std::string_view expected) {
    for (const char c : expected) {
      if (!take(c)) return false;
    }
    return true;
  }
  bool digits() {
    const std::size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > start;
  }
  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (!take('e') && !take('E')) return true;
    if (!take('+')) take('-');
    return digits();
  }
  bool string() {
    if (!take('"')) return false;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      ++at_;
    }
    return take('"');
  }
  bool list(char end, bool has_keys) {
    if (depth_left_ == 0) return false;
    --depth_left_;
    ++at_;
    skip_space();
    const bool is_good = take(end) || elements(end, has_keys);
    ++depth_left_;
    return is_good;
  }
  bool elements(char end, bool has_keys) {
    for (;;) {
      skip_space();
      if (has_keys) {
        if (!string()) return false;
        skip_space();
        if (!take(':')) return false;
      }
      if (!value()) return false;
      skip_space();
      if (take(end)) return true;
      if (!take(',')) return false;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_left_;
};

}  // namespace

std::size_t locate_json_error(std::string_view text, std::size_t max_depth) {
  return Scanner(text, max_depth).run();
}

}  // namespace attune
