// TextLines: the lines of a text, without copying. A line that is too long is passed over in O(1)
// memory. One thread.
#pragma once
#include <cstdint>
#include <string_view>

#include "format/text_window.h"

namespace attune {

class TextLines {
 public:
  TextLines(TextWindow window, std::size_t most_bytes)
      : window_(std::move(window)), most_bytes_(most_bytes) {}
  enum class Next { kLine, kTooLong, kEnd };
  Result<Next> next();
  // Without its line end (LF or CRLF); valid until the next call, with TextWindow::kSlack readable
  // bytes after it.
  std::string_view text() const { return text_; }
  std::uint64_t line() const { return line_; }  // of the last, from 1
  const TextWindow& window() const { return window_; }

 private:
  TextWindow window_;
  const std::size_t most_bytes_;
  std::size_t taken_ = 0;  // to drop before the next line
  std::string_view text_;
  std::uint64_t line_ = 0;
};

}  // namespace attune
