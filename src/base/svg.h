// What pictures share: one look for light and dark, and text that is safe in them. Pure.
#pragma once
#include <string>
#include <string_view>

namespace attune {

// The picture around `body`; title: for who cannot see it, plain text. Classes: h heading, s
// strong, d dim, e right-aligned; b bar, g groove, l line, p paper; stop, warn, note.
std::string svg_picture(double width, double height, std::string_view title, std::string_view body);

// Escaped, and cut at so many bytes at a whole character. Control characters become spaces.
std::string svg_text(std::string_view text, std::size_t most);

}  // namespace attune
