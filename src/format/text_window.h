// TextWindow: the text of a file as UTF-8, a stretch of it at a time. view() begins at the first
// byte not yet dropped; fill() makes it longer. Whoever reads bounds how long it may grow. One
// thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/bytes.h"
#include "format/encoding.h"

namespace attune {

class TextWindow {
 public:
  static constexpr std::size_t kBlockBytes = 256 << 10;
  static constexpr std::size_t kSlack = 64;  // bytes after view() that may be read, for wide loads
  // Reads the first block. encoding: nullopt = guess. A byte order mark is left out.
  static Result<TextWindow> open(std::unique_ptr<ByteSource> source,
                                 std::optional<Encoding> encoding);
  std::string_view view() const { return {buffer_.data() + begin_, end_ - begin_}; }
  char* data() { return buffer_.data() + begin_; }  // of view(); its reader may unquote in place
  bool is_last() const { return is_last_; }         // nothing follows view()
  // Appends a block, or what is left; view() may move. An error once all before it was given.
  Status fill();
  void drop(std::size_t count) { begin_ += count; }
  // Drops through the next line end, however far it is. O(1) memory.
  Status drop_line();
  Encoding encoding() const { return encoding_; }
  const ByteSource& bytes() const { return *source_; }

 private:
  explicit TextWindow(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}
  void make_room(std::size_t count);
  void append_decoded(std::string_view raw);

  std::unique_ptr<ByteSource> source_;
  std::optional<Decoder> decoder_;  // none: UTF-8 as it is
  Encoding encoding_ = Encoding::kUtf8;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  bool is_last_ = false;
  std::optional<Error> fault_;
  std::string raw_, decoded_;
};

}  // namespace attune
