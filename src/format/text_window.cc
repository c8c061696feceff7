#include "format/text_window.h"

#include <cstring>

namespace attune {

Result<TextWindow> TextWindow::open(std::unique_ptr<ByteSource> source,
                                    std::optional<Encoding> encoding) {
  TextWindow window(std::move(source));
  TRY_OK(window.fill());
  window.encoding_ = encoding ? *encoding : guess_encoding(window.view());
  window.drop(mark_length(window.view(), window.encoding_));
  if (window.encoding_ == Encoding::kUtf8) return window;
  TRY(Decoder decoder, Decoder::open(window.encoding_));
  window.decoder_.emplace(std::move(decoder));
  const std::string head(window.view());
  window.begin_ = window.end_ = 0;
  window.append_decoded(head);
  return window;
}

void TextWindow::make_room(std::size_t count) {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < end_ + count + kSlack) buffer_.resize(end_ + count + kSlack);
}

void TextWindow::append_decoded(std::string_view raw) {
  decoded_.clear();
  decoder_->decode(raw, decoded_);
  if (is_last_) decoder_->finish(decoded_);
  make_room(decoded_.size());
  std::memcpy(buffer_.data() + end_, decoded_.data(), decoded_.size());
  end_ += decoded_.size();
}

Status TextWindow::fill() {
  if (fault_) return *fault_;
  if (is_last_) return ok_status();
  make_room(kBlockBytes);
  raw_.resize(decoder_ ? kBlockBytes : 0);
  char* const to = decoder_ ? raw_.data() : buffer_.data() + end_;
  std::size_t filled = 0;
  while (filled < kBlockBytes && !is_last_) {
    const auto got = source_->read({to + filled, kBlockBytes - filled});
    if (!got.ok()) {
      fault_ = got.error();
      break;
    }
    is_last_ = *got == 0;
    filled += *got;
  }
  if (fault_ && filled == 0) return *fault_;
  if (decoder_) {
    append_decoded({to, filled});
  } else {
    end_ += filled;
  }
  return ok_status();
}

Status TextWindow::drop_line() {
  while (true) {
    const std::size_t end = view().find('\n');
    if (end != std::string_view::npos) {
      drop(end + 1);
      return ok_status();
    }
    drop(view().size());
    if (is_last_) return ok_status();
    TRY_OK(fill());
  }
}

}  // namespace attune
