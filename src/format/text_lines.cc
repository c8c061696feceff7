#include "format/text_lines.h"

#include <cstring>

namespace attune {

Result<TextLines::Next> TextLines::next() {
  window_.drop(taken_);
  taken_ = 0;
  text_ = {};
  while (true) {
    const std::string_view view = window_.view();
    const void* found = view.empty() ? nullptr : std::memchr(view.data(), '\n', view.size());
    const std::size_t end =
        found == nullptr ? view.size()
                         : static_cast<std::size_t>(static_cast<const char*>(found) - view.data());
    if (end > most_bytes_) {
      ++line_;
      TRY_OK(window_.drop_line());
      return Next::kTooLong;
    }
    if (found != nullptr || (window_.is_last() && end > 0)) {
      ++line_;
      taken_ = found == nullptr ? end : end + 1;
      text_ = view.substr(0, end);
      if (text_.ends_with('\r')) text_.remove_suffix(1);
      return Next::kLine;
    }
    if (window_.is_last()) return Next::kEnd;
    TRY_OK(window_.fill());
  }
}

}  // namespace attune
