#include "base/svg.h"

#include <fmt/format.h>

#include <algorithm>

namespace attune {
namespace {

constexpr std::string_view kStyle =
    "<style>"
    "svg{color-scheme:light dark;--ink:#1d2733;--dim:#5c6975;--paper:#ffffff;--line:#dde3e8;"
    "--bar:#2b6cb0;--gap:#e3e8ee;--stop:#b42318;--warn:#9a5b00;--note:#5c6975}"
    "@media(prefers-color-scheme:dark){svg{--ink:#e8edf2;--dim:#9aa7b3;--paper:#14191f;"
    "--line:#2c3640;--bar:#6aa9ec;--gap:#2a333c;--stop:#ff8a7a;--warn:#f0b454;--note:#9aa7b3}}"
    "text{font:13px system-ui,sans-serif;fill:var(--ink)}.h{font-size:18px;font-weight:600}"
    ".s{font-weight:600}.d{fill:var(--dim);font-size:12px}.e{text-anchor:end}"
    ".b{fill:var(--bar)}.g{fill:var(--gap)}.l{stroke:var(--line)}.p{fill:var(--paper)}"
    ".stop{fill:var(--stop);font-weight:600}.warn{fill:var(--warn);font-weight:600}"
    ".note{fill:var(--note)}</style>";

}  // namespace

std::string svg_picture(double width, double height, std::string_view title,
                        std::string_view body) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" role=\"img\" aria-label=\"{2}\">{3}"
      "<rect class=\"p\" width=\"{0}\" height=\"{1}\"/>{4}</svg>\n",
      width, height, title, kStyle, body);
}

std::string svg_text(std::string_view text, std::size_t most) {
  std::size_t end = std::min(text.size(), most);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  std::string out;
  for (const char c : text.substr(0, end)) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return end < text.size() ? out + "..." : out;
}

}  // namespace attune
