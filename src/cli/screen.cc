#include "cli/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "cli/words.h"

namespace attune {
namespace {

constexpr auto kDrawEvery = std::chrono::milliseconds(150);

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

Screen::Screen() {
  const std::string_view terminal = variable("TERM");
  is_live_ = ::isatty(STDERR_FILENO) != 0 && !terminal.empty() && terminal != "dumb";
  is_coloured_ = is_live_ && variable("NO_COLOR").empty();
}

bool Screen::is_due() const { return is_live_ && std::chrono::steady_clock::now() >= next_; }

void Screen::say(const std::string& line) {
  drawn_ = 0;
  if (!is_live_) {
    std::fprintf(stderr, "%s\n", line.c_str());
    return;
  }
  tell(line);
}

void Screen::tell(const std::string& text) {
  drawn_ = 0;
  for (const std::string& part : wrap(text, width())) std::fprintf(stderr, "%s\n", part.c_str());
}

std::size_t Screen::width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void Screen::draw(const std::vector<std::string>& lines) {
  std::string out;
  if (drawn_ != 0) out += "\x1b[" + std::to_string(drawn_) + "A";
  const std::size_t wide = width();
  for (const std::string& line : lines) out += "\r\x1b[K" + cut(line, wide) + "\n";
  std::fwrite(out.data(), 1, out.size(), stderr);
  std::fflush(stderr);
  drawn_ = lines.size();
  next_ = std::chrono::steady_clock::now() + kDrawEvery;
}

void Screen::erase() {
  if (drawn_ == 0) return;
  const std::string out = "\x1b[" + std::to_string(drawn_) + "A\r\x1b[J";
  std::fwrite(out.data(), 1, out.size(), stderr);
  std::fflush(stderr);
  drawn_ = 0;
}

std::string Screen::colour(int number, const std::string& text) const {
  return is_coloured_ ? "\x1b[3" + std::to_string(number) + "m" + text + "\x1b[0m" : text;
}

std::string Screen::strong(const std::string& text) const {
  return is_coloured_ ? "\x1b[1m" + text + "\x1b[0m" : text;
}

namespace {

// Bytes of the escape sequence or character the text begins with.
std::size_t size_of_first(std::string_view text) {
  if (text.starts_with("\x1b[")) {
    const auto end = text.find('m');
    return end == std::string_view::npos ? text.size() : end + 1;
  }
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) ++size;
  return size;
}

std::size_t width_of(std::string_view text) {
  std::size_t sum = 0;
  while (!text.empty()) {
    const std::string_view first = text.substr(0, size_of_first(text));
    if (!first.starts_with("\x1b[")) sum += columns(first);
    text.remove_prefix(first.size());
  }
  return sum;
}

}  // namespace

std::string cut(const std::string& text, std::size_t width) {
  std::size_t used = 0;
  for (std::string_view left = text; !left.empty();) {
    const std::string_view first = left.substr(0, size_of_first(left));
    used += width_of(first);
    if (used > width) {
      const std::string kept = text.substr(0, text.size() - left.size());
      return kept.find('\x1b') == std::string::npos ? kept : kept + "\x1b[0m";
    }
    left.remove_prefix(first.size());
  }
  return text;
}

std::vector<std::string> wrap(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  std::size_t used = 0, space = std::string::npos;  // where the line may be broken
  for (std::string_view left = text; !left.empty();) {
    const std::string_view first = left.substr(0, size_of_first(left));
    const std::size_t wide = width_of(first);
    const bool is_space = first == " " && !left.substr(1).starts_with('%');  // "10 %" is one word
    if (used + wide > width && !line.empty()) {
      std::string rest;
      if (space != std::string::npos && !is_space) rest = line.substr(space + 1);
      if (space != std::string::npos && !is_space) line.resize(space);
      lines.push_back(std::exchange(line, rest));
      used = width_of(line);
      space = std::string::npos;
      if (is_space) {
        left.remove_prefix(1);
        continue;
      }
    }
    if (is_space && !line.empty()) space = line.size();
    if (wide == 2) space = std::string::npos;  // a break may come after any wide character
    line += first;
    used += wide;
    left.remove_prefix(first.size());
  }
  lines.push_back(line);
  return lines;
}

}  // namespace attune
