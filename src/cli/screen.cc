#include "cli/screen.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

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
  std::fprintf(stderr, "%s\n", line.c_str());
}

void Screen::draw(const std::vector<std::string>& lines) {
  std::string out;
  if (drawn_ != 0) out += "\x1b[" + std::to_string(drawn_) + "A";
  for (const std::string& line : lines) out += "\r\x1b[K" + line + "\n";
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

}  // namespace attune
